;; A module of another WASI.
(module
  (import "wasi:cli/exit@0.2.0" "exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
