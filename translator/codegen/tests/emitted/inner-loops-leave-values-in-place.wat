;; A value that no loop changes keeps its register over nested loops.
(module
  (memory 1 1 shared)
  ;; x86_64: lacks jmp
  ;; x86_64: count 2 jne
  (func $nested (param $at i32) (local $i i32) (local $j i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (loop $inner
        (i32.store (local.get $at) (local.get $i))
        (br_if $inner (i32.ne (i32.const 100)
          (local.tee $j (i32.add (local.get $j) (i32.const 1))))))
      (i32.ne (local.get $i) (i32.const 99))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $outer)))
)
