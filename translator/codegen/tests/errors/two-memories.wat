;; error: multiple memories are not supported (offset 0xa)
(module (memory 1) (memory 1))
