;; error: not a WebAssembly module: it does not start with "\0asm" (offset 0x0)
;; hint: this is an archive of objects; wasm-ld links a module of it
(module binary "!<arch>\n")
