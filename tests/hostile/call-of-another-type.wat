;; ends: 0
;; A function that is called with another type gets the arguments that it takes: of those that nobody gave, zeros.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (type $none (func))
  (table 4 funcref)
  (elem (i32.const 1) $other)
  (func $other (param i64 f32 i64 i32) (result f64)
    (if (i64.ne (i64.or (local.get 0) (local.get 2)) (i64.const 0)) (then (unreachable)))
    (if (f32.ne (local.get 1) (f32.const 0)) (then (unreachable)))
    (if (local.get 3) (then (unreachable)))
    (f64.const 1))
  (func (export "_start")
    (call_indirect (type $none) (i32.const 1))))
