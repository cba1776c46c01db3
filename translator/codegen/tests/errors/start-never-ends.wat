;; error: the start function cannot be run ahead of time: it runs too long (function 0 "main", offset 0x1c)
;; hint: only what wasm-ld generates is supported as a start function; use constructors for initialisation
(module
  (start $main)
  (func $main (loop $again (br $again))))
