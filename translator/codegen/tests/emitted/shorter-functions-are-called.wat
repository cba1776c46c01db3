;; options: polls
;; A program's call through the table reaches functions that take fewer arguments or give no result:
;; the types that this module has are compared off the hot path. A result that nobody gives is zero. A function of any
;; other type is called by the adapter of the call's type.
(module
  (type $wide (func (param i32 i32) (result i32)))
  (type $short (func (param i32) (result i32)))
  (type $none (func (result i32)))
  (type $other (func (param i64) (result i32)))
  (type $silent (func (param i32)))
  (memory 1)
  (table 8 funcref)
  ;; all: lacks trap: indirect call type mismatch
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov eax, esi
  ;;|  cmp eax, 8
  ;;|  jae L6
  ;;|  lea rcx, [rip]  ; linnet.table
  ;;|  shl rax, 4
  ;;|  mov edx, dword ptr [rcx + rax + 8]
  ;;|  cmp edx, 1
  ;;|  jne L4
  ;;|L1:
  ;;|  mov rax, qword ptr [rcx + rax]
  ;;|L2:
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|L3:
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L4:
  ;;|  test edx, edx
  ;;|  je L7
  ;;|  cmp edx, 2
  ;;|  je L1
  ;;|  cmp edx, 3
  ;;|  je L1
  ;;|  cmp edx, 5
  ;;|  je L5
  ;;|  mov qword ptr [rdi + 0x40], rax
  ;;|  lea rax, [rip]  ; linnet.adapt.0.0
  ;;|  jmp L2
  ;;|L5:
  ;;|  mov rax, qword ptr [rcx + rax]
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|  xor eax, eax
  ;;|  jmp L3
  ;;|L6:
  ;;|  ud2  ; trap: undefined element
  ;;|L7:
  ;;|  ud2  ; trap: uninitialized element
  (func $call_wide (param i32) (result i32)
    (call_indirect (type $wide) (i32.const 2) (i32.const 3) (local.get 0)))
)
