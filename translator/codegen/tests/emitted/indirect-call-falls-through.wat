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
  ;;|  sub rsp, 0x30
  ;;|  mov qword ptr [rsp + 0x10], rbx
  ;;|  mov qword ptr [rsp + 0x18], r12
  ;;|  mov qword ptr [rsp + 0x20], r13
  ;;|  mov qword ptr [rsp + 0x28], r14
  ;;|  mov r13, rdx
  ;;|  mov qword ptr [rsp], rdi
  ;;|  mov r12d, esi
  ;;|  mov rbx, qword ptr [rdi]
  ;;|  mov eax, dword ptr [rbx + r12 + 8]
  ;;|  mov ecx, dword ptr [rbx + rax]
  ;;|  mov ecx, dword ptr [rbx + rcx]
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
  ;;|  mov edx, r13d
  ;;|  call rcx
  ;;|  mov r14, rax
  ;;|L3:
  ;;|  mov esi, dword ptr [rbx + r12 + 0xc]
  ;;|  mov edi, dword ptr [rbx + rsi]
  ;;|  mov edi, dword ptr [rbx + rdi]
  ;;|  cmp edi, 8
  ;;|  jae L12
  ;;|  shl rdi, 4
  ;;|  lea r8, [rip]  ; linnet.table
  ;;|  mov r9d, dword ptr [r8 + rdi + 8]
  ;;|  cmp r9d, 1
  ;;|  jne L9
  ;;|L4:
  ;;|  mov r8, qword ptr [r8 + rdi]
  ;;|L5:
  ;;|  lea edx, [r13 + 1]
  ;;|  mov esi, esi
  ;;|  mov rdi, qword ptr [rsp]
  ;;|  call r8
  ;;|  mov rdi, rax
  ;;|L6:
  ;;|  mov rax, r14
  ;;|  imul eax, edi
  ;;|  mov rbx, qword ptr [rsp + 0x10]
  ;;|  mov r12, qword ptr [rsp + 0x18]
  ;;|  mov r13, qword ptr [rsp + 0x20]
  ;;|  mov r14, qword ptr [rsp + 0x28]
  ;;|  add rsp, 0x30
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
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
