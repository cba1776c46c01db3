;; A byte that comes through a loop's parameter has no other bits: to mask it takes no instruction. A mask
;; that may cut something off stays.
(module
  (memory 1 1 shared)
  ;; x86_64: count 1 and
  ;; x86_64: contains 0x7f
  ;; aarch64: lacks 0xff
  (func $compare (param $a i32) (param $b i32) (result i32) (local $x i32)
    (local.set $x (i32.load8_u (local.get $a)))
    (loop $next
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (if (i32.eq (i32.and (local.get $x) (i32.const 255)) (i32.load8_u (local.get $b)))
        (then
          (local.set $x (i32.load8_u (local.get $a)))
          (br_if $next (local.get $x)))))
    (i32.and (local.get $x) (i32.const 127)))
)
