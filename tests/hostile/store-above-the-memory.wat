;; ends: SIGSEGV
;; The next memory begins behind the reach of any index and offset.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    (i64.store offset=0xffffffff (i32.const 0xfffffff0) (i64.const -1))))
