;; error: import linnet.smp_rmb has type (i32) -> (), but this version of linnet has () -> () (offset 0x12)
;; hint: rebuild the module with the headers of ABI version 2
(module
  (import "linnet" "smp_rmb" (func (param i32))))
