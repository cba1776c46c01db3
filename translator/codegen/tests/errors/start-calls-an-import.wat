;; error: the start function cannot be run ahead of time: it calls an imported function (function 0 "fork", offset 0x2e)
;; hint: only what wasm-ld generates is supported as a start function; use constructors for initialisation
(module
  (import "linux" "fork" (func $fork (result i32)))
  (start $main)
  (func $main (drop (call $fork))))
