;; error: reference types are not supported (function 0 "catch", offset 0x17)
(module
  (func $catch
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught))
      (unreachable))
    (drop)))
