;; error: unknown import linux.syscall_3 (offset 0x16)
;; hint: the module was made for another Linux system-call ABI; compile its source with linnet's SDK
(module
  (import "linux" "syscall_3" (func (param i32 i32 i32 i32) (result i32))))
