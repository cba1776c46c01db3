;; error: an imported global is not supported (env.__memory_base) (offset 0xb)
;; hint: link the module statically; position-independent modules are not supported
(module
  (import "env" "__memory_base" (global i32)))
