;; error: unknown import wasi_snapshot_preview1.fd_write (offset 0x16)
;; hint: the module was made for WASI preview 1; compile its source with linnet's SDK
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))
