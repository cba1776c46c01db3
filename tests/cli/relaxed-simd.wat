;; Uses an instruction that is not supported.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (func (export "_start")
    (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))))
