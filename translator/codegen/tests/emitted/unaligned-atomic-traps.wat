;; Atomic accesses check their alignment first; those of bytes need not.
(module
  (memory 1 1 shared)
  ;; all: count 1 trap: unaligned atomic
  ;; x86_64: contains , 3
  (func $load32 (param i32) (result i32)
    (i32.atomic.load offset=8 (local.get 0)))
  ;; all: count 1 trap: unaligned atomic
  (func $odd_offset (param i32) (result i64)
    (i64.atomic.load offset=4 (local.get 0)))
  ;; all: count 1 trap: unaligned atomic
  (func $wait (param i32) (result i32)
    (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1)))
  ;; all: lacks trap
  (func $byte (param i32) (result i32)
    (i32.atomic.load8_u (local.get 0)))
)
