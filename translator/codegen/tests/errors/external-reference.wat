;; error: reference types are not supported (offset 0xa)
;; hint: compile without -mreference-types
(module
  (func $id (param externref)))
