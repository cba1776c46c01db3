;; error: initial data ends at 0x10001, the memory at 0x10000
(module
  (memory 1)
  (data (i32.const 0xfffc) "hello"))
