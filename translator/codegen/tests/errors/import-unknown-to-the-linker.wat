;; error: unknown import env.getaddrinfo_a (offset 0x13)
;; hint: wasm-ld left getaddrinfo_a undefined: the program lacks a library or an object file
(module
  (import "env" "getaddrinfo_a" (func (param i32) (result i32))))
