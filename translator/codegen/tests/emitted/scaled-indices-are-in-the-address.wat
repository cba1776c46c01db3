;; An index whose bound is known is scaled by the access itself, and the base of a table is added to that
;; of the memory once for the loop.
;; options: polls
(module
  (memory 1 1 shared)
  ;; x86_64: contains *4]
  ;; x86_64: lacks lea
  (func $masked (param $table i32) (param $n i32) (result i32)
    (i32.load (i32.add (local.get $table)
      (i32.shl (i32.and (local.get $n) (i32.const 31)) (i32.const 2)))))
  ;; Above 64 KiB a sum that wraps around may be an address.
  ;; x86_64: contains lea
  (func $too_large (param $table i32) (param $n i32) (result i32)
    (i32.load (i32.add (local.get $table)
      (i32.shl (i32.and (local.get $n) (i32.const 0x3fff)) (i32.const 2)))))
  ;; Nothing is known of the index.
  ;; x86_64: contains lea
  (func $unknown (param $table i32) (param $n i32) (result i32)
    (i32.load (i32.add (local.get $table) (i32.shl (local.get $n) (i32.const 2)))))
  ;; The counter is below 400: only the accesses are in the loop, and the two addresses before it.
  ;; x86_64: count 2 lea
  (func $counted (param $from i32) (param $to i32) (local $i i32)
    (loop $again
      (i32.store (i32.add (local.get $to) (local.get $i))
        (i32.load (i32.add (local.get $from) (local.get $i))))
      (br_if $again (i32.ne (i32.const 400)
        (local.tee $i (i32.add (local.get $i) (i32.const 4)))))))
  ;; The counter steps over its limit and wraps around.
  ;; x86_64: contains lea
  (func $endless (param $from i32) (local $i i32)
    (loop $again
      (i32.store (i32.add (local.get $from) (local.get $i)) (local.get $i))
      (br_if $again (i32.ne (i32.const 401)
        (local.tee $i (i32.add (local.get $i) (i32.const 4)))))))
)
