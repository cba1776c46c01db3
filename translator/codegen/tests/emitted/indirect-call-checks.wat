;; Calls through the table check bounds and type; a null entry is told apart only when the type is wrong.
(module
  (type $binary (func (param i32 i32) (result i32)))
  (memory 1 1 shared)
  (table 8 8 funcref)
  (elem (i32.const 1) $first)
  ;; all: lacks trap
  (func $first (type $binary) (local.get 0))
  ;; all: count 1 trap: undefined element
  ;; all: count 1 trap: uninitialized element
  ;; all: count 1 trap: indirect call type mismatch
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r8d, esi
  ;;|  cmp r8d, 8
  ;;|  jae L2
  ;;|  lea rax, [rip]  ; linnet.table
  ;;|  shl r8, 4
  ;;|  mov ecx, dword ptr [rax + r8 + 8]
  ;;|  cmp ecx, 1
  ;;|  jne L1
  ;;|  mov rax, qword ptr [rax + r8]
  ;;|  mov esi, 2
  ;;|  mov edx, 3
  ;;|  call rax
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L1:
  ;;|  test ecx, ecx
  ;;|  je L3
  ;;|  ud2  ; trap: indirect call type mismatch
  ;;|L2:
  ;;|  ud2  ; trap: undefined element
  ;;|L3:
  ;;|  ud2  ; trap: uninitialized element
  (func $call (param i32) (result i32)
    (call_indirect (type $binary) (i32.const 2) (i32.const 3) (local.get 0)))
)
