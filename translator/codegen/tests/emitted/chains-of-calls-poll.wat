;; options: polls
;; Without any cycle the calls of a chain like this are 2 to the power of its length: every few functions one
;; polls.
(module
  (memory 1)
  (func $leaf (param i32)
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
  ;; all: lacks linnet_libcall_poll
  (func $c1 (param i32)
    (call $leaf (local.get 0))
    (call $leaf (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $c2 (param i32)
    (call $c1 (local.get 0))
    (call $c1 (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $c3 (param i32)
    (call $c2 (local.get 0))
    (call $c2 (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $c4 (param i32)
    (call $c3 (local.get 0))
    (call $c3 (local.get 0)))
  ;; all: count 1 linnet_libcall_poll
  (func $c5 (param i32)
    (call $c4 (local.get 0))
    (call $c4 (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $c6 (param i32)
    (call $c5 (local.get 0))
    (call $c5 (local.get 0)))
  ;; all: lacks linnet_libcall_poll
  (func $c7 (param i32)
    (call $c6 (local.get 0))
    (call $c6 (local.get 0)))
)
