;; ends: SIGILL
;; A function gets the arguments that it takes.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (type $none (func))
  (table 4 funcref)
  (elem (i32.const 1) $other)
  (func $other (param i64 i64 i64) (result f64) (f64.const 0))
  (func (export "_start")
    (call_indirect (type $none) (i32.const 1))))
