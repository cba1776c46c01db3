;; ends: SIGSEGV
;; Index and offset together reach up to 8 GiB.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    (drop (i32.load offset=0xffffffff (i32.const 0xffffffff)))))
