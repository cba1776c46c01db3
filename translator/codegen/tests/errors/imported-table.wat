;; error: an imported table is not supported (env.__indirect_function_table) (offset 0xb)
;; hint: link the module statically; position-independent modules are not supported
(module
  (import "env" "__indirect_function_table" (table 0 funcref)))
