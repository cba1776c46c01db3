;; error: components are not supported, only core modules (offset 0x4)
(module binary "\00asm\0d\00\01\00")
