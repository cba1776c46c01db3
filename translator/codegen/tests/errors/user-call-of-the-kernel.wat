;; error: unknown import linux.syscall (offset 0x19)
;; hint: the module was made for another Linux system-call ABI; compile its source with linnet's SDK
;; prefix: kernel
(module
  (import "linux" "syscall" (func (param i32 i64 i64 i64 i64 i64 i64) (result i64))))
