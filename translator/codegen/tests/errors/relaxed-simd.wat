;; error: relaxed SIMD is not supported (function 0 "widest", offset 0x1e)
(module
  (func $widest (param v128 v128) (result v128)
    (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))
