;; error: reference types are not supported (function 0 "catch", offset 0x17)
;; hint: compile without -mreference-types, and exceptions in clang 19's default encoding
(module
  (func $catch
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught))
      (unreachable))
    (drop)))
