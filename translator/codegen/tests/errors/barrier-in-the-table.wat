;; error: the barrier smp_rmb cannot be a table entry: it is not a function
(module
  (import "linnet" "smp_rmb" (func $rmb))
  (table 1 1 funcref)
  (elem (i32.const 0) $rmb))
