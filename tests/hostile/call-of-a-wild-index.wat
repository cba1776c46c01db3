;; ends: SIGSEGV
;; There is no function behind the table's end.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (type $none (func))
  (table 4 funcref)
  (func (export "_start")
    (call_indirect (type $none) (i32.const 0xfffffff0))))
