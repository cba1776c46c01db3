;; error: _start has type (i32) -> (), expected () -> ()
(module
  (func (export "_start") (param i32)))
