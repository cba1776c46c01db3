;; A store that is overwritten at once is still done, and nothing is merged.
(module
  (memory 1 1 shared)
  ;; all: stores 2
  ;; all: loads 0
  (func $same_address (param i32)
    (i32.store (local.get 0) (i32.const 1))
    (i32.store (local.get 0) (i32.const 2)))
  ;; all: stores 2
  (func $same_value (param i32 i32)
    (i32.store (local.get 0) (local.get 1))
    (i32.store (local.get 0) (local.get 1)))
  ;; all: stores 2
  (func $neighbours (param i32)
    (i32.store (local.get 0) (i32.const 0))
    (i32.store offset=4 (local.get 0) (i32.const 0)))
)
