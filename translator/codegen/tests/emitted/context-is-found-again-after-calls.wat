;; A fork in a call goes on in a copy of the frames elsewhere, with another context. So no address is alive
;; across a call: the context is found from the stack pointer and the base of the memory from the context, where
;; they are needed again.
;; options: polls
(module
  (memory 1)
  (global $global (mut i32) (i32.const 0))
  (func $other (export "other") (param i32)
    (global.set $global (local.get 0)))
  ;; x86_64: count 1 and
  ;; aarch64: count 1 and
  ;; riscv64: count 1 and
  (func $uses_both (param i32) (result i32)
    (call $other (i32.load (local.get 0)))
    (i32.add (global.get $global) (i32.load (local.get 0))))
  ;; Nothing is needed again.
  ;; x86_64: lacks and
  ;; aarch64: lacks and
  ;; riscv64: lacks and
  (func $uses_none (param i32) (result i32)
    (call $other (i32.load (local.get 0)))
    (local.get 0))
)
