;; Atomic loads and stores are sequentially consistent.
(module
  (memory 1 1 shared)
  ;; x86_64: lacks lock
  ;; all: loads 1
  ;; aarch64: contains ldar
  ;; riscv64: contains fence
  (func $load (param i32) (result i32)
    (i32.atomic.load (local.get 0)))
  ;; x86_64: contains xchg
  ;; aarch64: contains stlr
  ;; riscv64: contains fence
  ;; all: stores 1
  (func $store (param i32 i32)
    (i32.atomic.store (local.get 0) (local.get 1)))
  ;; all: loads 2
  ;; all: stores 0
  (func $nothing_is_merged (param i32) (result i64)
    (i64.add (i64.atomic.load (local.get 0)) (i64.atomic.load (local.get 0))))
  ;; all: lacks unaligned
  (func $byte (param i32) (result i32)
    (i32.atomic.load8_u (local.get 0)))
)
