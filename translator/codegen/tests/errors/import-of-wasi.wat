;; error: unknown import wasi_snapshot_preview1.fd_write (offset 0x16)
;; hint: `linnet run` runs modules of WASI preview 1, and `linnet compile --exe` makes executables of them
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))
