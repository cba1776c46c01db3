;; error: wide arithmetic is not supported (function 0 "add", offset 0x25)
;; hint: compile without -mwide-arithmetic
(module
  (func $add (param i64 i64 i64 i64) (result i64 i64)
    (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
