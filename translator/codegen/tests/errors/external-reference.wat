;; error: reference types are not supported (offset 0xb)
;; hint: compile without -mreference-types, and exceptions in clang 19's default encoding
(module
  (func $id (param externref)))
