;; error: an element segment does not fit the table (offset 0x1c)
(module
  (table 1 1 funcref)
  (func $f)
  (elem (i32.const 1) $f))
