;; A function that `setjmp` returns to. A signal handler may `longjmp` out of any of its instructions, so
;; all of them lead to a pad that asks whether the exception is meant for this activation, and raises it
;; again if not. Calls have no handlers for it, and nothing is saved at them: only the call of `setjmp`
;; stores the local that is needed behind it.
(module
  (memory 1)
  (tag $longjmp (export "__c_longjmp") (param i32))
  (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
  ;; Exported functions are not inlined.
  (func $setjmp (export "setjmp") (param i32) (result i32)
    i32.const 0)
  (func $__wasm_setjmp (export "__wasm_setjmp") (param i32 i64 i32) (result i64)
    local.get 1)
  (func $__wasm_setjmp_test (export "__wasm_setjmp_test") (param i32 i64) (result i64)
    i64.const 0)
  (func $callee (export "callee") (result i32)
    i32.const 0)
  ;; all: count 1 catch from here: 0
  ;; all: count 2 __wasm_setjmp
  ;; all: count 1 __wasm_setjmp_test
  ;; all: count 1 linnet_libcall_throw
  (func $returns_twice (param i32 i32) (result i32)
    (local i32)
    (local.set 2 (call $setjmp (local.get 0)))
    (drop (call $callee))
    (drop (call $callee))
    (i32.add (local.get 2) (i32.load (local.get 1))))
  ;; Without a call of `setjmp` nothing returns here.
  ;; all: lacks catch
  ;; all: lacks linnet_libcall_throw
  (func $calls_no_setjmp (param i32) (result i32)
    (drop (call $callee))
    (i32.load (local.get 0))))
