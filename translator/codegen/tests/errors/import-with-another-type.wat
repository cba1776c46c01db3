;; error: import linux.syscall has type (i32, i32, i32, i32) -> (i32), but this version of linnet has (i32, i64, i64, i64, i64, i64, i64) -> (i64) (offset 0x16)
;; hint: rebuild the module with the headers of ABI version 2
(module
  (import "linux" "syscall" (func (param i32 i32 i32 i32) (result i32))))
