;; ends: SIGSEGV
;; The native stack has an end too.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func $deeper (param i64) (result i64)
    (i64.add (local.get 0) (call $deeper (i64.mul (local.get 0) (i64.const 3)))))
  (func (export "_start")
    (call $deeper (i64.const 1))
    drop))
