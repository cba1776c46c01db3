;; Calls inside of a try have entries in the call-site table, others none.
(module
  (memory 1 1 shared)
  (tag $number (param i32))
  (tag $nothing)
  (func $callee (param i32)
    (throw $number (local.get 0)))
  ;; all: count 1 catch: 0
  ;; all: lacks catch: any
  (func $catch_one (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught) (call $callee (local.get 0)))
      (i32.const 0)))
  ;; all: count 1 catch: 1, any
  (func $catch_all_behind_one (param i32) (result i32)
    (block $other
      (block $nothing
        (try_table (catch $nothing $nothing) (catch_all $other) (call $callee (local.get 0)))
        (return (i32.const 0)))
      (return (i32.const 1)))
    (i32.const 2))
  ;; all: count 1 catch: 1, 0
  (func $inner_before_outer (param i32) (result i32)
    (block $caught (result i32)
      (block $nothing
        (try_table (catch $number $caught)
          (try_table (catch $nothing $nothing) (call $callee (local.get 0))))
        (return (i32.const 0)))
      (i32.const 1)))
  ;; all: lacks catch
  (func $outside (param i32)
    (try_table)
    (call $callee (local.get 0)))
  ;; all: lacks linnet_libcall_throw
  (func $throw_to_own_handler (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught) (throw $number (local.get 0)))
      (unreachable)))
)
