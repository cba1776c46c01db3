;; error: the start function cannot be run ahead of time: it uses f64.const (function 0 "main", offset 0x29)
;; hint: only what wasm-ld generates is supported as a start function; use constructors for initialisation
(module
  (global $x (mut f64) (f64.const 0))
  (start $main)
  (func $main (global.set $x (f64.sqrt (f64.const 2)))))
