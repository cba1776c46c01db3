;; options: polls
;; A program's call through the table reaches functions that take fewer arguments or give no result:
;; the types that this module has are compared off the hot path. A result that nobody gives is zero.
(module
  (type $wide (func (param i32 i32) (result i32)))
  (type $short (func (param i32) (result i32)))
  (type $none (func (result i32)))
  (type $other (func (param i64) (result i32)))
  (type $silent (func (param i32)))
  (memory 1)
  (table 8 funcref)
  ;; all: count 1 trap: indirect call type mismatch
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov eax, esi
  ;;|  cmp eax, 8
  ;;|  jae L4
  ;;|  lea rcx, [rip]  ; linnet.table
  ;;|  shl rax, 4
  ;;|  mov edx, dword ptr [rcx + rax + 8]
  ;;|  cmp edx, 1
  ;;|  jne L3
  ;;|L1:
  ;;|  mov rax, qword ptr [rcx + rax]
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|L2:
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L3:
  ;;|  test edx, edx
  ;;|  je L5
  ;;|  cmp edx, 2
  ;;|  je L1
  ;;|  cmp edx, 3
  ;;|  je L1
  ;;|  cmp edx, 5
  ;;|  jne L6
  ;;|  mov rax, qword ptr [rcx + rax]
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|  xor eax, eax
  ;;|  jmp L2
  ;;|L4:
  ;;|  ud2  ; trap: undefined element
  ;;|L5:
  ;;|  ud2  ; trap: uninitialized element
  ;;|L6:
  ;;|  ud2  ; trap: indirect call type mismatch
  (func $call_wide (param i32) (result i32)
    (call_indirect (type $wide) (i32.const 2) (i32.const 3) (local.get 0)))
)
