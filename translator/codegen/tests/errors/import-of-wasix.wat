;; error: unknown import wasix_32v1.proc_fork (offset 0x14)
;; hint: the module was made for WASIX; compile its source with linnet's SDK
(module
  (import "wasix_32v1" "proc_fork" (func (param i32 i32) (result i32))))
