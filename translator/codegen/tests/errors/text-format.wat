;; error: not a WebAssembly module: it does not start with "\0asm" (offset 0x0)
;; hint: this looks like the text format; wat2wasm makes a module of it
(module binary "\n  (module)")
