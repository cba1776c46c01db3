;; What a host wants of a module that it does not trust: its memory is imported and not exported, it calls the host,
;; fails and throws, and runs too long. It is translated to be interrupted.
(module $plugin
  (import "env" "memory" (memory 1 16))
  (import "env" "table" (table $table 2 8 funcref))
  (import "env" "print" (func $print (param i32 i32)))
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (import "env" "oops" (tag $oops (param i32 f64)))
  (type $unary (func (param i32) (result i32)))
  (global $count (mut i32) (i32.const 0))
  (data (i32.const 16) "hello")
  (func (export "hello") (call $print (i32.const 16) (i32.const 5)))
  (func $question (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
  (func $boom (export "boom") (unreachable))
  (func (export "caught") (param i32) (result i32)
    (block $handler (result i32 f64)
      (try_table (catch $oops $handler) (return (call $ask (local.get 0))))
      (unreachable))
    (drop))
  (func (export "throw") (throw $oops (i32.const 7) (f64.const 0.5)))
  (func $spin (export "spin") (loop (br 0)))
  ;; 2^n calls, without a loop.
  (func $twice (export "twice") (param i32)
    (if (local.get 0)
      (then
        (call $twice (i32.sub (local.get 0) (i32.const 1)))
        (call $twice (i32.sub (local.get 0) (i32.const 1))))))
  ;; The same through the table.
  (func $thrice (export "thrice") (param i32) (result i32)
    (if (local.get 0)
      (then
        (drop (call_indirect $table (type $unary) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))
        (drop (call_indirect $table (type $unary) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1)))))
    (i32.const 0))
  (elem (table $table) (i32.const 1) func $thrice)
  ;; Turns of a loop.
  (func (export "turn") (param i32)
    (loop $turns (br_if $turns (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  ;; Everything that a snapshot is about.
  (func (export "count") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 16) (i32.const 0x4a))
    (i32.add
      (i32.add (global.get $count) (i32.mul (memory.size) (i32.const 10)))
      (i32.mul (table.size $table) (i32.const 100))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow $table (ref.null func) (local.get 0)))
  (func (export "call") (param i32 i32) (result i32)
    (call_indirect $table (type $unary) (local.get 1) (local.get 0))))
