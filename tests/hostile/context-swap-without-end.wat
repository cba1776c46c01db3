;; ends: SIGALRM
;; A context is resumed again and again, without a loop and without a system call.
(module
  (import "linux" "context_swap" (func $swap (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 2 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  ;; it_interval, it_value: 0.2 s
  (data (i32.const 0x18000) "\00\00\00\00\00\00\00\00\00\00\00\00\40\0d\03\00")
  (func (export "_start")
    ;; setitimer(ITIMER_REAL, ...)
    (drop (call $syscall (i32.const 103)
      (i64.const 0) (i64.const 0x18000) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
    (drop (call $swap (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (drop (call $swap (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
    unreachable))
