;; error: a reference to an exception with more than one value of 32 bits is not supported (function 0 "catch", offset 0x22)
(module
  (tag (param i64))
  (func $catch
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught))
      (unreachable))
    (drop)))
