;; options: polls frames
;; Small functions whose frames can be captured are put in place of calls, too, with the code that captures
;; them; it ends where that of the caller does.
(module
  (import "linux" "syscall" (func $sys (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (memory 1)
  (tag $nothing)
  (global $__stack_pointer (mut i32) (i32.const 0))
  (func $ask (param i64) (result i64)
    (call $sys (i32.const 0) (local.get 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
  (func $spin (param i32)
    (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  ;; all: lacks ask
  ;; all: contains linnet_user_syscall
  ;; all: count 1 linnet_frames_captured
  (func $calls_ask (param i64) (result i64)
    (i64.add (call $ask (local.get 0)) (local.get 0)))
  ;; all: lacks spin
  ;; all: count 1 linnet_libcall_poll
  (func $calls_spin (param i32) (result i32)
    (call $spin (local.get 0))
    (local.get 0))
  ;; all: contains ask
  (func $tries_ask (param i64) (result i64)
    try (result i64)
      (call $ask (local.get 0))
    catch $nothing
      i64.const 0
    end))
