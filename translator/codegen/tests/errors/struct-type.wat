;; error: struct indexed types are not supported (offset 0xb)
(module (type (struct (field i32))))
