;; error: unknown binary version: 0x2 (offset 0x4)
(module binary "\00asm\02\00\00\00")
