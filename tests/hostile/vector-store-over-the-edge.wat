;; ends: SIGSEGV
;; The widest access at the last place that an index and an offset can name.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (func (export "_start")
    (v128.store offset=0xffffffff (i32.const 0xffffffff) (v128.const i64x2 -1 -1))))
