;; The same with a `try_table`: its tag is the one that `__wasm_longjmp` throws, and what follows its label
;; asks whether the exception is meant.
(module
  (memory 1)
  (tag $other (param i32))
  (tag $longjmp (param i32))
  (func $__wasm_setjmp (param i32 i32 i32))
  ;; An exported function is not inlined.
  (export "test" (func $__wasm_setjmp_test))
  (func $__wasm_setjmp_test (param i32 i32) (result i32)
    i32.const 0)
  (func $__wasm_longjmp (param i32 i32)
    (throw $longjmp (local.get 0)))
  (func $callee (result i32)
    i32.const 0)
  ;; all: count 1 catch from here: 1
  ;; all: count 1 catch: 1
  ;; all: count 2 __wasm_setjmp_test
  ;; all: count 1 linnet_libcall_throw
  ;; x86_64: loads 2
  (func $returns_twice (param i32 i32) (result i32)
    (block $out
      (loop $dispatch
        (call $__wasm_setjmp (local.get 0) (i32.const 1) (i32.const 64))
        (block $thrown (result i32)
          (try_table (catch $longjmp $thrown)
            (br_if $out (call $callee)))
          (br $out))
        (i32.const 64)
        (br_if $dispatch (call $__wasm_setjmp_test))))
    (i32.load (local.get 1)))
  ;; A clause for another tag is none of `longjmp`.
  ;; all: lacks catch from here
  (func $catches_others (param i32) (result i32)
    (call $__wasm_setjmp (local.get 0) (i32.const 1) (i32.const 64))
    (block $thrown (result i32)
      (try_table (catch $other $thrown)
        (return (call $callee)))
      (unreachable))))
