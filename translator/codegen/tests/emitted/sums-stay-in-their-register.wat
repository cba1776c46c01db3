;; The sum over a loop's rounds is the operand that the addition overwrites: no move and one branch.
(module
  (memory 1 1 shared)
  ;; x86_64: count 1 j
  ;; x86_64: lacks movdqa
  (func $dot (param $a i32) (param $b i32) (result f64) (local $i i32) (local $sum f64)
    (loop $again
      (local.set $sum (f64.add
        (f64.mul (f64.load (local.get $a)) (f64.load (local.get $b)))
        (local.get $sum)))
      (local.set $a (i32.add (local.get $a) (i32.const 8)))
      (local.set $b (i32.add (local.get $b) (i32.const 8)))
      (br_if $again (i32.ne (i32.const 100)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $sum))
)
