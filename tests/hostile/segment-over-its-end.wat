;; ends: SIGSEGV
;; What lies behind a data segment is not the program's.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (data $bytes "eight by")
  (func (export "_start")
    (memory.init $bytes (i32.const 0x10000) (i32.const 0) (i32.const 0x10000))))
