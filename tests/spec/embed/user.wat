;; Uses what an instance of the other module exports, and has a start function that may fail.
(module $user
  (import "sample" "add" (func $add (param i32 i32) (result i32)))
  (import "sample" "memory" (memory 1))
  (import "sample" "calls" (global $calls (mut i32)))
  (import "sample" "table" (table 1 funcref))
  (type $binary (func (param i32 i32) (result i32)))
  (func $start
    (if (i32.eq (global.get $calls) (i32.const 99)) (then unreachable))
    (i32.store8 (i32.const 16) (i32.const 0x4a)))
  (start $start)
  (func (export "sum") (param i32 i32) (result i32)
    (i32.add
      (call $add (local.get 0) (local.get 1))
      (call_indirect (type $binary) (local.get 0) (local.get 1) (i32.const 0))))
  (func (export "set_calls") (param i32) (global.set $calls (local.get 0))))
