;; error: an exception of 5 words is not supported, only of up to 4 (function 0 "throw", offset 0x2e)
(module
  (tag $large (param i64 i64 i64 i64 i32))
  (func $throw
    (throw $large (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i32.const 0))))
