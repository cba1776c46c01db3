;; error: unknown memory 0 (function 0 "load", offset 0x1b)
(module
  (func $load (param i32) (result i32)
    (i32.load (local.get 0))))
