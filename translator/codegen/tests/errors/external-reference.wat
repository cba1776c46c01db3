;; error: reference types are not supported (offset 0xb)
(module
  (func $id (param externref)))
