;; Functions that are small enough to be put in place of calls of them: captured there, they share a
;; native frame with their caller. Straight ones, one with a loop, one that calls itself, one that calls
;; through the table, one that throws past its caller, and calls of them inside of `try` and of each other.
(module
  (import "linux" "syscall" (func $sys (param i32 i64 i64 i64 i64 i64 i64) (result i64)))
  (memory 2)
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (global $sum (mut i64) (i64.const 0))
  (type $unary (func (param i64) (result i64)))
  (table 2 funcref)
  (elem (i32.const 0) $ask $twice)
  (tag $odd (param i64))
  (func $ask (param i64) (result i64)
    (call $sys (i32.const 0) (local.get 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
  (func $note (param i64)
    (drop (call $sys (i32.const 1) (local.get 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))
  ;; A site with an operand below it, and one behind the first.
  (func $twice (param i64) (result i64)
    (i64.add (call $ask (local.get 0)) (call $ask (i64.const 5))))
  ;; A poll: what it needs lies in a slot, beside the one of its caller.
  (func $power (param $base i32) (param $n i32) (result i32) (local $p i32)
    (local.set $p (i32.const 1))
    (loop $l
      (local.set $p (i32.mul (local.get $p) (local.get $base)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $p))
  (func $through (param $which i32) (param $x i64) (result i64)
    (i64.xor (call_indirect (type $unary) (local.get $x) (local.get $which)) (local.get $x)))
  (func $refuse (param i64)
    (call $note (local.get 0))
    (if (i64.ne (i64.and (local.get 0) (i64.const 1)) (i64.const 0)) (then (throw $odd (local.get 0)))))
  (func $pass (param i64) (call $refuse (local.get 0)) (call $note (i64.const 77)))
  (func $fib (param $n i32) (result i32) (local $sum i32)
    (loop $l
      (if (i32.gt_s (local.get $n) (i32.const 1))
        (then
          (local.set $sum (i32.add (local.get $sum) (call $fib (i32.sub (local.get $n) (i32.const 1)))))
          (local.set $n (i32.sub (local.get $n) (i32.const 2)))
          (br $l))))
    (i32.add (local.get $sum) (local.get $n)))
  ;; Values of all types live across what is taken in, in a loop whose calls are the hot ones.
  (func $mix (param $a f32) (param $b f64) (param $c i64) (result i64) (local $i i32) (local $v v128)
    (local.set $v (i64x2.splat (local.get $c)))
    (loop $l
      (local.set $c (i64.add
        (i64.mul (local.get $c) (i64.extend_i32_u (call $power (local.get $i) (i32.const 3))))
        (call $through (i32.and (local.get $i) (i32.const 1)) (local.get $c))))
      (local.set $a (f32.add (local.get $a) (f32.convert_i32_s (call $power (i32.const 3) (i32.const 2)))))
      (local.set $v (i64x2.add (local.get $v) (i64x2.splat (call $twice (local.get $c)))))
      (local.set $b (f64.sub (local.get $b) (f64.const 0.5)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4))))
    (i64.add
      (i64.add (local.get $c) (i64x2.extract_lane 1 (local.get $v)))
      (i64.add (i64.trunc_sat_f32_s (local.get $a)) (i64.trunc_sat_f64_s (local.get $b)))))
  (func $guarded (param $x i64) (result i64)
    try (result i64)
      (call $pass (local.get $x))
      (call $twice (local.get $x))
    catch $odd
      (i64.mul (call $ask (local.get $x)) (i64.const 3))
      i64.add
    end)
  (func (export "_start") (local $i i32)
    (loop $l
      (call $note (call $mix (f32.const 1.5) (f64.const 8.25) (i64.const 0x123456789)))
      (call $note (call $guarded (i64.extend_i32_u (local.get $i))))
      (call $note (i64.extend_i32_u (call $fib (i32.const 5))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2))))))
