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
  ;;|  mov r8, rdx
  ;;|  mov qword ptr [rsp], rdi
  ;;|  mov rbx, qword ptr [rdi]
  ;;|  mov r13d, esi
  ;;|  mov esi, dword ptr [rbx + r13 + 8]
  ;;|  mov eax, dword ptr [rbx + rsi]
  ;;|  mov eax, dword ptr [rbx + rax]
  ;;|  cmp eax, 8
  ;;|  jae L9
  ;;|  lea rcx, [rip]  ; linnet.table
  ;;|  shl rax, 4
  ;;|  mov edx, dword ptr [rcx + rax + 8]
  ;;|  cmp edx, 1
  ;;|  jne L5
  ;;|  mov r12, r8
  ;;|L1:
  ;;|  mov rax, qword ptr [rcx + rax]
  ;;|  mov rdx, r12
  ;;|  call rax
  ;;|  mov r14, rax
  ;;|L2:
  ;;|  mov esi, dword ptr [rbx + r13 + 0xc]
  ;;|  mov eax, dword ptr [rbx + rsi]
  ;;|  mov eax, dword ptr [rbx + rax]
  ;;|  cmp eax, 8
  ;;|  jae L10
  ;;|  shl rax, 4
  ;;|  lea rcx, [rip]  ; linnet.table
  ;;|  mov edx, dword ptr [rcx + rax + 8]
  ;;|  cmp edx, 1
  ;;|  jne L8
  ;;|L3:
  ;;|  mov r11, qword ptr [rcx + rax]
  ;;|  lea edx, [r12 + 1]
  ;;|  mov rdi, qword ptr [rsp]
  ;;|  call r11
  ;;|  mov rcx, rax
  ;;|L4:
  ;;|  mov rax, r14
  ;;|  imul eax, ecx
  ;;|  mov rbx, qword ptr [rsp + 0x10]
  ;;|  mov r12, qword ptr [rsp + 0x18]
  ;;|  mov r13, qword ptr [rsp + 0x20]
  ;;|  mov r14, qword ptr [rsp + 0x28]
  ;;|  add rsp, 0x30
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;;|L5:
  ;;|  test edx, edx
  ;;|  je L11
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
