;; A load after a store of the same address reads the memory, not the stored value.
(module
  (memory 1 1 shared)
  ;; all: stores 1
  ;; all: loads 1
  (func $forwarding (param i32 i32) (result i32)
    (i32.store (local.get 0) (local.get 1))
    (i32.load (local.get 0)))
  ;; all: loads 2
  ;; all: stores 1
  (func $around_a_store (param i32 i32) (result i32)
    (i32.load (local.get 0))
    (i32.store (local.get 0) (local.get 1))
    (i32.add (i32.load (local.get 0))))
)
