;; error: garbage collection is not supported (offset 0xb)
(module (type (struct (field i32))))
