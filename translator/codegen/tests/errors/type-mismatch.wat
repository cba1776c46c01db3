;; error: type mismatch: expected i32, found f32 (function 1 "bad", offset 0x24)
(module
  (func $good)
  (func $bad (result i32)
    (f32.const 0)))
