;; error: tail calls are not supported (function 0 "loop", offset 0x17)
(module
  (func $loop (return_call $loop)))
