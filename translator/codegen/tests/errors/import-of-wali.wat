;; error: unknown import wali.SYS_write (offset 0x15)
;; hint: the module was made for WALI, the WebAssembly Linux Interface; compile its source with linnet's SDK
(module
  (import "wali" "SYS_write" (func (param i32 i32 i32) (result i64))))
