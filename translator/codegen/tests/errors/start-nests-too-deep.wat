;; error: the start function cannot be run ahead of time: its calls nest too deep (function 0 "main", offset 0x1a)
;; hint: only what wasm-ld generates is supported as a start function; use constructors for initialisation
(module
  (start $main)
  (func $main (call $main)))
