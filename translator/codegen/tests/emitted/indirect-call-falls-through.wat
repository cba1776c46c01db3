;; options: polls
;; The good case of a call through the table goes straight on to the call, though a program's functions of
;; other types may be called there, too: what has to be moved for those is moved out of line.
(module
  (type $binary (func (param i32 i32) (result i32)))
  (type $unary (func (param i32) (result i32)))
  (type $none (func (result i32)))
  (type $nothing (func (param i32 i32)))
  (memory 1 1 shared)
  (table 8 8 funcref)
  (elem (i32.const 1) $first)
  (func $first (type $binary) (local.get 0))
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  sub rsp, 0x20
  ;;|  mov qword ptr [rsp], rbx
  ;;|  mov qword ptr [rsp + 8], r12
  ;;|  mov qword ptr [rsp + 0x10], r13
  ;;|  mov r12, rdx
  ;;|  mov ebx, esi
  ;;|  mov rcx, qword ptr [rdi]
  ;;|  mov eax, dword ptr [rcx + rbx + 8]
  ;;|  mov esi, dword ptr [rcx + rax]
  ;;|  mov ecx, dword ptr [rcx + rsi]
  ;;|  cmp ecx, 8
  ;;|  jae L11
  ;;|  lea rsi, [rip]  ; linnet.table
  ;;|  shl rcx, 4
  ;;|  mov r8d, dword ptr [rsi + rcx + 8]
  ;;|  cmp r8d, 1
  ;;|  jne L7
  ;;|L1:
  ;;|  mov rcx, qword ptr [rsi + rcx]
  ;;|L2:
  ;;|  mov esi, eax
  ;;|  mov edx, r12d
  ;;|  call rcx
  ;;|  mov r13, rax
  ;;|L3:
  ;;|  mov rdi, rsp
  ;;|  and rdi, 0xffffffffff000000
  ;;|  mov r8, qword ptr [rdi]
  ;;|  mov esi, dword ptr [r8 + rbx + 0xc]
  ;;|  mov r9d, dword ptr [r8 + rsi]
  ;;|  mov r8d, dword ptr [r8 + r9]
  ;;|  cmp r8d, 8
  ;;|  jae L12
  ;;|  shl r8, 4
  ;;|  lea r9, [rip]  ; linnet.table
  ;;|  mov r10d, dword ptr [r9 + r8 + 8]
  ;;|  cmp r10d, 1
  ;;|  jne L9
  ;;|L4:
  ;;|  mov r8, qword ptr [r9 + r8]
  ;;|L5:
  ;;|  lea edx, [r12 + 1]
  ;;|  mov esi, esi
  ;;|  call r8
  ;;|  mov rsi, rax
  ;;|L6:
  ;;|  mov rax, r13
  ;;|  imul eax, esi
  ;;|  mov rbx, qword ptr [rsp]
  ;;|  mov r12, qword ptr [rsp + 8]
  ;;|  mov r13, qword ptr [rsp + 0x10]
  ;;|  add rsp, 0x20
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L7:
  ;;|  ...
  (func $call (param i32 i32) (result i32)
    (local i32)
    (i32.mul
      (call_indirect (type $binary)
        (local.tee 2 (i32.load offset=8 (local.get 0)))
        (local.get 1)
        (i32.load (i32.load (local.get 2))))
      (call_indirect (type $binary)
        (local.tee 0 (i32.load offset=12 (local.get 0)))
        (i32.add (local.get 1) (i32.const 1))
        (i32.load (i32.load (local.get 0)))))))
