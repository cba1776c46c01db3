;; error: memory64 is not supported (offset 0xb)
(module (memory i64 1))
