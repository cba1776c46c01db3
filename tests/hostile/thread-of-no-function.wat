;; ends: SIGSEGV
;; A thread's mistake ends its process.
(module
  (import "linux" "clone" (func $clone (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    ;; CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
    (drop (call $clone (i32.const 0x7fffffff) (i32.const 0) (i32.const 0x18000) (i32.const 0x50f00)
      (i32.const 0) (i32.const 0) (i32.const 0)))
    ;; ppoll() of nothing, without an end
    (drop (call $syscall (i32.const 414)
      (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))))
