;; Clang 19's encoding of exceptions: handlers of nested blocks, innermost first.
(module
  (tag $number (param i32))
  (tag $nothing)
  (func $callee (param i32)
    (throw $number (local.get 0)))
  ;; all: count 1 catch: 0
  ;; all: lacks catch: any
  (func $catch_one (param i32) (result i32)
    try (result i32)
      (call $callee (local.get 0))
      i32.const 0
    catch $number
    end)
  ;; all: count 1 catch: 1, any
  ;; all: lacks linnet_libcall_throw
  (func $catch_all (param i32) (result i32)
    try (result i32)
      (call $callee (local.get 0))
      i32.const 0
    catch $nothing
      i32.const 1
    catch_all
      i32.const 2
    end)
  ;; all: count 1 catch:
  ;; all: count 1 catch: any
  ;; all: count 1 linnet_libcall_throw
  (func $clean_up (param i32)
    try
      (call $callee (local.get 0))
    catch_all
      rethrow 0
    end)
  ;; all: count 2 catch:
  ;; all: count 1 catch: 1, 0
  ;; all: count 1 catch: 0
  (func $call_in_a_catch (param i32) (result i32)
    try (result i32)
      try
        (call $callee (local.get 0))
      catch $nothing
        (call $callee (i32.const 1))
      end
      i32.const 0
    catch $number
    end)
  ;; A rethrow inside of another try is caught there.
  ;; all: count 2 catch: any
  (func $rethrow_into_a_try (param i32)
    try
      (call $callee (local.get 0))
    catch_all
      try
        rethrow 1
      catch_all
      end
    end)
  ;; all: count 1 catch: 0
  ;; all: lacks catch: 1
  (func $delegate (param i32) (result i32)
    try $outer (result i32)
      try
        try
          (call $callee (local.get 0))
        delegate $outer
      catch $nothing
      end
      i32.const 0
    catch $number
    end)
)
