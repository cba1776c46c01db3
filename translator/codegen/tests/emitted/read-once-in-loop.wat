;; A value that was read before a loop is not read again in it, whatever register pressure says.
(module
  (memory 1 1 shared)
  ;; all: loads 1
  ;; all: loop loads 0
  ;; all: loop stores 1
  (func $fill (param $from i32) (param $to i32) (param $end i32)
    (local $value i32)
    (local.set $value (i32.load (local.get $from)))
    (loop $again
      (i32.store (local.get $to) (local.get $value))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br_if $again (i32.ne (local.get $to) (local.get $end)))))
)
