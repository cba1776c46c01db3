;; ends: SIGBUS
;; Atomic accesses are aligned.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    (drop (i32.atomic.rmw.add (i32.const 0x10001) (i32.const 1)))))
