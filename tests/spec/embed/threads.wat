;; Threads of the host, each with an instance of this, which share the memory.
(module $threads
  (import "env" "memory" (memory 1 2 shared))
  (func (export "wait") (param i32) (result i32)
    (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1)))
  (func (export "wake") (param i32) (result i32)
    (i32.atomic.store (local.get 0) (i32.const 1))
    (memory.atomic.notify (local.get 0) (i32.const -1)))
  (func (export "add") (param i32)
    (loop $turns
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (br_if $turns (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
