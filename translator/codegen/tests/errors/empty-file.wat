;; error: not a WebAssembly module: it does not start with "\0asm" (offset 0x0)
;; hint: programs are linked with wasm-ld; a native executable has no translation
(module binary "")
