;; error: initial data ends at 0x10004, the memory at 0x10000 (function 0 "main", offset 0x25)
(module
  (memory 1)
  (start $main)
  (func $main (i32.store (i32.const 0x10000) (i32.const 1))))
