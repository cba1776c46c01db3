;; ends: SIGABRT
;; It ends at the first frame.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (tag $oops (param i32))
  (func (export "_start")
    (throw $oops (i32.const 1))))
