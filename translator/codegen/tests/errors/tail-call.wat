;; error: tail calls are not supported (function 0 "loop", offset 0x17)
;; hint: compile without -mtail-call and without musttail
(module
  (func $loop (return_call $loop)))
