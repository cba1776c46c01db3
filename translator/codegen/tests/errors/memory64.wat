;; error: memory64 is not supported (offset 0xb)
;; hint: compile for wasm32
(module (memory i64 1))
