;; ends: 0
;; The kernel refuses addresses that are not the program's: EFAULT.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func $check (param $result i64)
    (if (i64.ne (local.get $result) (i64.const -14)) (then unreachable)))
  (func (export "_start")
    (call $check (call $syscall (i32.const 64) ;; write
      (i64.const 1) (i64.const 0xffff0000) (i64.const 0x20000) (i64.const 0) (i64.const 0) (i64.const 0)))
    (call $check (call $syscall (i32.const 17) ;; getcwd
      (i64.const 0xfffffff0) (i64.const 0x1000) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
    (call $check (call $syscall (i32.const 160) ;; uname
      (i64.const 0xffffffff00000000) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
    (call $check (call $syscall (i32.const 179) ;; sysinfo
      (i64.const 0x200000000) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))))
