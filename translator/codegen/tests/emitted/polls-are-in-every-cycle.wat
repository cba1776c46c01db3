;; options: polls
;; Functions that call each other poll in every cycle, once, where one of them begins; those that no cycle
;; passes do not.
(module
  (type $unary (func (param i32)))
  (memory 1)
  (table 8 funcref)
  (elem (i32.const 1) $callback $plain)
  (global $count (mut i32) (i32.const 0))
  ;; all: lacks linnet_libcall_poll
  (func $leaf (param i32)
    (global.set $count (i32.add (global.get $count) (local.get 0))))
  ;; all: count 1 linnet_libcall_poll
  (func $itself (param i32)
    (if (local.get 0) (then
      (call $itself (i32.sub (local.get 0) (i32.const 1)))
      (call $itself (i32.sub (local.get 0) (i32.const 2))))))
  ;; all: count 1 linnet_libcall_poll
  (func $even (param i32)
    (if (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))))
    (call $long_leaf (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $odd (param i32)
    (if (local.get 0) (then (call $between (i32.sub (local.get 0) (i32.const 1)))))
    (call $long_leaf (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $between (param i32)
    (call $even (local.get 0))
    (call $long_leaf (local.get 0)))
  ;; All that the table has may be called here, also this one.
  ;; all: count 1 linnet_libcall_poll
  (func $callback (param i32)
    (call_indirect (type $unary) (local.get 0) (i32.const 1)))
  ;; all: lacks linnet_libcall_poll
  (func $plain (param i32)
    (call $long_leaf (local.get 0)))
  ;; Nothing calls it but what polls.
  ;; all: lacks linnet_libcall_poll
  (func $caller (param i32)
    (call_indirect (type $unary) (local.get 0) (i32.const 1))
    (call $itself (local.get 0))
    (call $even (local.get 0)))
  ;; Too large to be there in place of a call.
  (func $long_leaf (param i32)
    (i32.store offset=256 (i32.const 0) (i32.add (i32.load offset=256 (i32.const 0)) (local.get 0)))
    (i32.store offset=260 (i32.const 0) (i32.add (i32.load offset=260 (i32.const 0)) (local.get 0)))
    (i32.store offset=264 (i32.const 0) (i32.add (i32.load offset=264 (i32.const 0)) (local.get 0)))
    (i32.store offset=268 (i32.const 0) (i32.add (i32.load offset=268 (i32.const 0)) (local.get 0)))
    (i32.store offset=272 (i32.const 0) (i32.add (i32.load offset=272 (i32.const 0)) (local.get 0)))
    (i32.store offset=276 (i32.const 0) (i32.add (i32.load offset=276 (i32.const 0)) (local.get 0)))
    (i32.store offset=280 (i32.const 0) (i32.add (i32.load offset=280 (i32.const 0)) (local.get 0)))
    (i32.store offset=284 (i32.const 0) (i32.add (i32.load offset=284 (i32.const 0)) (local.get 0)))
    (i32.store offset=288 (i32.const 0) (i32.add (i32.load offset=288 (i32.const 0)) (local.get 0)))
    (i32.store offset=292 (i32.const 0) (i32.add (i32.load offset=292 (i32.const 0)) (local.get 0)))
    (i32.store offset=296 (i32.const 0) (i32.add (i32.load offset=296 (i32.const 0)) (local.get 0)))
    (i32.store offset=300 (i32.const 0) (i32.add (i32.load offset=300 (i32.const 0)) (local.get 0))))
)
