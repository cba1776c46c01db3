;; error: unknown import env.emscripten_notify_memory_growth (offset 0x12)
;; hint: the module was made for Emscripten; compile its source with linnet's SDK
(module
  (import "env" "emscripten_notify_memory_growth" (func (param i32))))
