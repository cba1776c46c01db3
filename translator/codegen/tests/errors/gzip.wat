;; error: not a WebAssembly module: it does not start with "\0asm" (offset 0x0)
;; hint: this is compressed; gunzip makes a module of it
(module binary "\1f\8b\08\00\00\00\00\00")
