;; error: unexpected end-of-file (offset 0x4)
(module binary "\00asm")
