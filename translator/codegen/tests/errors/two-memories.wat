;; error: multiple memories are not supported (offset 0xa)
;; hint: compile without -mmultimemory
(module (memory 1) (memory 1))
