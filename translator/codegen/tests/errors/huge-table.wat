;; error: a table of 100000000 entries is not supported (offset 0xb)
(module (table 100000000 funcref))
