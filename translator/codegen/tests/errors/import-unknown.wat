;; error: unknown import sensors.read (offset 0x11)
;; hint: compile the program with linnet's SDK
(module
  (import "sensors" "read" (func)))
