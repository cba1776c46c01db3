;; wasi-threads: four threads count to 10,000 each in one memory, and wake the first one.
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "memory" (memory 1 10 shared))
  (export "memory" (memory 0))
  (global $own (mut i32) (i32.const 0))
  (func $fail (param i32) (if (local.get 0) (then (call $exit (i32.const 1)))))
  (func (export "wasi_thread_start") (param $thread i32) (param $argument i32) (local $i i32)
    (call $fail (i32.le_s (local.get $thread) (i32.const 0)))
    (call $fail (i32.ne (local.get $argument) (i32.const 77)))
    ;; Globals are each thread's own.
    (call $fail (i32.ne (global.get $own) (i32.const 0)))
    (global.set $own (local.get $thread))
    (loop $next
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 10000))))
    (call $fail (i32.ne (global.get $own) (local.get $thread)))
    ;; Memory grows for all.
    (call $fail (i32.lt_s (memory.grow (i32.const 1)) (i32.const 1)))
    (i32.atomic.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (local.get $thread))
    (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 4) (i32.const 1))))
  (func (export "_start") (local $i i32)
    (loop $next
      (call $fail (i32.le_s (call $spawn (i32.const 77)) (i32.const 0)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4))))
    (loop $wait
      (local.set $i (i32.atomic.load (i32.const 4)))
      (if (i32.lt_u (local.get $i) (i32.const 4))
        (then
          (drop (memory.atomic.wait32 (i32.const 4) (local.get $i) (i64.const -1)))
          (br $wait))))
    (call $fail (i32.ne (i32.atomic.load (i32.const 0)) (i32.const 40000)))
    (call $fail (i32.ne (memory.size) (i32.const 5)))
    ;; A time that is over, and a value that is another.
    ;; Where nobody wakes: a time that is over, and a value that is another.
    (call $fail (i32.ne (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const 1000000)) (i32.const 2)))
    (call $fail (i32.ne (memory.atomic.wait32 (i32.const 8) (i32.const 1) (i64.const -1)) (i32.const 1)))))
