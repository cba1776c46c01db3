;; A function that `setjmp` returns to: clang's lowering leaves what comes before and behind the calls
;; out of the `try`, but a signal handler may `longjmp` from there. The exception lands in a pad that
;; asks whether it is meant for this activation, and raises it again if not.
(module
  (memory 1)
  (tag $longjmp (param i32))
  (func $__wasm_setjmp (param i32 i32 i32))
  ;; An exported function is not inlined.
  (export "test" (func $__wasm_setjmp_test))
  (func $__wasm_setjmp_test (param i32 i32) (result i32)
    i32.const 0)
  (func $callee (result i32)
    i32.const 0)
  ;; all: count 1 catch from here: 0
  ;; all: count 1 catch: 0
  ;; all: count 1 catch: none
  ;; all: count 2 __wasm_setjmp_test
  ;; all: count 1 linnet_libcall_throw
  ;; x86_64: loads 2
  (func $returns_twice (param i32 i32) (result i32)
    (local i32)
    (block $out
      (loop $dispatch
        (call $__wasm_setjmp (local.get 0) (i32.const 1) (i32.const 64))
        try
          (br_if $out (call $callee))
        catch $longjmp
          local.set 2
          (br_if $dispatch (call $__wasm_setjmp_test (local.get 2) (i32.const 64)))
        end))
    (i32.load (local.get 1)))
  ;; Without a clause for `longjmp` nothing returns here.
  ;; all: lacks catch
  ;; all: lacks linnet_libcall_throw
  (func $calls_setjmp (param i32) (result i32)
    (call $__wasm_setjmp (local.get 0) (i32.const 1) (i32.const 64))
    (i32.load (local.get 0))))
