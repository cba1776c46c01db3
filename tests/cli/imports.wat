;; A module whose host has functions of its own.
(module
  (import "env" "callback" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")))
