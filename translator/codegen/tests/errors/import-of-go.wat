;; error: unknown import gojs.runtime.wasmExit (offset 0x12)
;; hint: the module was made for Go's JavaScript host; compile its source with linnet's SDK
(module
  (import "gojs" "runtime.wasmExit" (func (param i32))))
