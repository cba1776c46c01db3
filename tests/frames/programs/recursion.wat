;; A recursion with values of every type, exceptions on the way, calls through the table, and at its
;; bottom a host function that calls back.
(module
  (import "linux" "syscall" (func $sys (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (memory 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (type $cb (func (param i32) (result i32)))
  (type $ff (func (param f64 i32) (result f64)))
  (table 4 funcref)
  (elem (i32.const 0) $leaf $cbf $fl $rec2)
  (tag $e (param i64))
  (func $note (param i64) (drop (call $sys (i32.const 1) (local.get 0) (i64.const 0)(i64.const 0)(i64.const 0)(i64.const 0)(i64.const 0))))
  (func $ask (param i64) (result i64) (call $sys (i32.const 0) (local.get 0) (i64.const 0)(i64.const 0)(i64.const 0)(i64.const 0)(i64.const 0)))
  (func $leaf (param i32) (result i32) (local i32) (loop $l (local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.const 7)))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))
  (func $cbf (param i32) (result i32) (i32.add (local.get 0) (i32.wrap_i64 (call $ask (i64.extend_i32_u (local.get 0))))))
  (func $fl (param f64 i32) (result f64) (f64.add (f64.mul (local.get 0) (f64.const 1.5)) (f64.convert_i64_s (call $ask (i64.extend_i32_s (local.get 1))))))
  (func $thrower (param i64) (call $note (local.get 0)) (throw $e (i64.mul (local.get 0) (i64.const 3))))
  (func $rec2 (param i32) (result i32) (i32.const 3))
  (func $rec (param $n i32) (param $f f64) (param $g f32) (param $h i64) (result i64)
    (local $x i64)
    (if (i32.eqz (local.get $n)) (then (return (i64.add (local.get $h) (call $sys (i32.const 2) (i64.const 1) (i64.const 42) (i64.const 0)(i64.const 0)(i64.const 0)(i64.const 0))))))
    try
      (local.set $x (call $ask (local.get $h)))
      (if (i32.and (local.get $n) (i32.const 1)) (then (call $thrower (local.get $x))))
    catch $e
      local.get $x
      i64.xor
      local.set $x
      (call $note (local.get $x))
    end
    (i64.add
      (i64.mul (local.get $x) (i64.extend_i32_s (call $leaf (local.get $n))))
      (i64.add
       (call $rec (i32.sub (local.get $n) (i32.const 1)) (call_indirect (type $ff) (local.get $f) (local.get $n) (i32.const 2)) (f32.mul (local.get $g) (f32.const 1.25)) (i64.rotl (local.get $h) (i64.const 3)))
       (i64.add (i64.trunc_sat_f64_s (local.get $f)) (i64.extend_i32_u (i32.reinterpret_f32 (local.get $g)))))))
  (func (export "_start") (call $note (call $rec (i32.const 6) (f64.const 3.25) (f32.const 1.1) (i64.const 0x123456789abcdef)))))
