;; error: this is an object of a compiler, not a linked module (offset 0x11)
;; hint: link it with wasm-ld or `linnet cc`
(module
  (import "env" "__linear_memory" (memory 0))
  (func (export "_start")))
