;; options: polls
;; A tail call is a jump. One that may come back to its function without a loop polls first: to a function
;; that is not behind it, or through the table.
(module
  (type $unary (func (param i32) (result i32)))
  (memory 1)
  (table 8 funcref)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  add esi, 1
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  jmp back
  (func $forward (param i32) (result i32)
    (return_call $back (i32.add (local.get 0) (i32.const 1))))
  ;; all: count 1 linnet_libcall_poll
  (func $back (param i32) (result i32)
    (return_call $forward (local.get 0)))
  ;; all: count 1 linnet_libcall_poll
  ;; all: count 1 trap: indirect call type mismatch
  (func $through (param i32) (result i32)
    (return_call_indirect (type $unary) (i32.const 2) (local.get 0)))
  ;; What has one parameter more than is passed in registers is called with its own type only.
  (func $many (param i32 i32 i32 i32 i32 i32) (result i32) (local.get 5))
  ;; x86_64: count 1 cmp edx
  (func $call_many (param i32) (result i32)
    (call_indirect (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (local.get 0)))
)
