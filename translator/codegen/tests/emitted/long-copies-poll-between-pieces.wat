;; options: polls
;; Copies and fills that may be long have a second call, in a loop that polls.
(module
  (memory 1 1 shared)
  (data $segment "abc")
  ;; all: count 1 linnet_libcall_poll
  ;; all: count 2 linnet_libcall_memory_copy
  (func $copy (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  ;; all: count 1 linnet_libcall_poll
  ;; all: count 2 linnet_libcall_memory_fill
  (func $fill (param i32 i32)
    (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
  ;; all: count 1 linnet_libcall_poll
  ;; all: count 2 linnet_libcall_memory_copy
  (func $init (param i32 i32)
    (memory.init $segment (local.get 0) (i32.const 0) (local.get 1)))
  ;; all: count 1 linnet_libcall_poll
  (func $fill_65537 (param i32)
    (memory.fill (local.get 0) (i32.const 0) (i32.const 65537)))
  ;; all: lacks linnet_libcall_poll
  ;; all: count 1 linnet_libcall_memory_fill
  (func $fill_65536 (param i32)
    (memory.fill (local.get 0) (i32.const 0) (i32.const 65536)))
)
