;; Calls of small functions are replaced by their bodies: one level deep, and not where exceptions are
;; caught.
(module
  (type $f (func (result i32)))
  (memory 1)
  (table 4 funcref)
  (tag $nothing)
  (data $bytes "bytes")
  (func $small (param i32) (result i32)
    (i32.load (local.get 0)))
  (func $through_the_table (param i32) (result i32)
    (call_indirect (type $f) (local.get 0)))
  (func $segment
    (memory.init $bytes (i32.const 0) (i32.const 0) (i32.const 5)))
  (func $itself (param i32) (result i32)
    (call $itself (local.get 0)))
  ;; all: lacks small
  ;; x86_64: loads 1
  (func $calls_small (param i32) (result i32)
    (call $small (i32.const 0)))
  ;; all: contains linnet.table
  ;; all: lacks linnet.segment
  (func $calls_through_the_table (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get 0))
    (call $through_the_table (local.get 0)))
  ;; Data other than the table are not inlined.
  ;; all: contains segment
  ;; all: lacks linnet.segment
  (func $calls_segment
    (call $segment))
  ;; all: count 1 itself
  (func $calls_itself (param i32) (result i32)
    (call $itself (local.get 0)))
  ;; all: contains small
  (func $tries_small (param i32) (result i32)
    try (result i32)
      (call $small (local.get 0))
    catch $nothing
      i32.const 0
    end))
