;; options: polls
;; A tail call is a jump. Where such calls come back to a function without a loop, one function of the round
;; polls where it begins: see polls-are-in-every-cycle.
(module
  (type $unary (func (param i32) (result i32)))
  (memory 1)
  (table 8 funcref)
  (elem (i32.const 2) $through)
  ;; all: count 1 linnet_libcall_poll
  (func $forward (param i32) (result i32)
    (return_call $back (i32.add (local.get 0) (i32.const 1))))
  ;; all: lacks linnet_libcall_poll
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  add esi, 1
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  jmp forward
  (func $back (param i32) (result i32)
    (return_call $forward (i32.add (local.get 0) (i32.const 1))))
  ;; all: count 1 linnet_libcall_poll
  ;; all: lacks trap: indirect call type mismatch
  (func $through (param i32) (result i32)
    (return_call_indirect (type $unary) (i32.const 2) (local.get 0)))
  ;; What has one parameter more than is passed in registers is called with its own type only.
  (func $many (param i32 i32 i32 i32 i32 i32) (result i32) (local.get 5))
  ;; x86_64: count 1 cmp edx
  (func $call_many (param i32) (result i32)
    (call_indirect (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (local.get 0)))
)
