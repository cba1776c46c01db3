;; options: polls
;; A program's call through the table reaches functions that take fewer arguments: the kinds that this
;; module has are compared off the hot path. A result that nobody gives is never taken.
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
  ;;|  cmp esi, 8
  ;;|  jae L3
  ;;|  lea rax, [rip]  ; linnet.table
  ;;|  mov r11d, esi
  ;;|  shl r11, 4
  ;;|  mov ecx, dword ptr [rax + r11 + 8]
  ;;|  cmp ecx, 1
  ;;|  jne L2
  ;;|L1:
  ;;|  mov rax, qword ptr [rax + r11]
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L2:
  ;;|  test ecx, ecx
  ;;|  je L4
  ;;|  cmp ecx, 2
  ;;|  je L1
  ;;|  cmp ecx, 3
  ;;|  jne L5
  ;;|  jmp L1
  ;;|L3:
  ;;|  ud2  ; trap: undefined element
  ;;|L4:
  ;;|  ud2  ; trap: uninitialized element
  ;;|L5:
  ;;|  ud2  ; trap: indirect call type mismatch
  (func $call_wide (param i32) (result i32)
    (call_indirect (type $wide) (i32.const 2) (i32.const 3) (local.get 0)))
)
