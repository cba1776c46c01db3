;; error: multiple tables are not supported (offset 0xe)
;; hint: link with one table, which is all that C and C++ need
(module (table 0 funcref) (table 1 funcref))
