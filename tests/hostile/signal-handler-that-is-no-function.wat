;; ends: SIGSEGV
;; The program's own mistake, found when the signal comes.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "linux" "syscall"
    (func $syscall (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (global $__stack_pointer (mut i32) (i32.const 0x20000))
  (global (export "__heap_base") i32 (i32.const 0x20000))
  (table 4 funcref)
  (func (export "_start")
    ;; rt_sigaction(SIGUSR1, {handler, SA_RESTORER, restorer, mask})
    (i32.store (i32.const 0x10000) (i32.const 0x12345678))
    (i32.store (i32.const 0x10004) (i32.const 0x04000000))
    (i32.store (i32.const 0x10008) (i32.const 0x12345678))
    (drop (call $syscall (i32.const 134)
      (i64.const 10) (i64.const 0x10000) (i64.const 0) (i64.const 8) (i64.const 0) (i64.const 0)))
    ;; kill(getpid(), SIGUSR1)
    (drop (call $syscall (i32.const 129)
      (call $syscall (i32.const 172)
        (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))
      (i64.const 10) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))))
