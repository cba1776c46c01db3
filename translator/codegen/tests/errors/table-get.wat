;; error: reference types are not supported (function 0 "get", offset 0x20)
;; hint: compile without -mreference-types
(module
  (table 1 1 funcref)
  (func $get (drop (table.get 0 (i32.const 0)))))
