;; error: multiple tables are not supported (offset 0xa)
(module (table 1 funcref) (table 1 funcref))
