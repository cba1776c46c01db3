;; Exceptions are caught across calls; the last one is not.
(module
  (memory (export "memory") 1)
  (tag $e (param i32))
  (func $throw (param i32) (throw $e (local.get 0)))
  (func (export "_start") (local $i i32)
    (loop $next
      (block $caught (result i32)
        (try_table (catch $e $caught) (call $throw (local.get $i)))
        (unreachable))
      (if (i32.ne (local.get $i)) (then (unreachable)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 100000))))
    (call $throw (i32.const 1))))
