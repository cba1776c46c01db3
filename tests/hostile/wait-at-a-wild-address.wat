;; ends: SIGSEGV
;; The runtime reads the word for the program.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    (drop (memory.atomic.wait32 offset=0xfffffffc (i32.const 0xfffffffc) (i32.const 0) (i64.const 0)))))
