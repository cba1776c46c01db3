;; Loads and stores of different addresses stay in the order of the program.
(module
  (memory 1 1 shared)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov esi, esi
  ;;|  mov rdi, qword ptr [rdi]
  ;;|  mov dword ptr [rdi + rsi + 4], 1
  ;;|  mov r8d, dword ptr [rdi + rsi + 8]
  ;;|  mov dword ptr [rdi + rsi], 2
  ;;|  mov eax, dword ptr [rdi + rsi + 0xc]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  mov w10, #1
  ;;|  ldr x8, [x0]
  ;;|  add x9, x8, w1, uxtw
  ;;|  str w10, [x9, #4]
  ;;|  ldr w10, [x9, #8]
  ;;|  mov w10, #2
  ;;|  str w10, [x8, w1, uxtw]
  ;;|  ldr w0, [x9, #0xc]
  ;;|  ldp x29, x30, [sp], #0x10
  ;;|  ret
  (func $register_sequence (param i32) (result i32)
    (i32.store offset=4 (local.get 0) (i32.const 1))
    (drop (i32.load offset=8 (local.get 0)))
    (i32.store (local.get 0) (i32.const 2))
    (i32.load offset=12 (local.get 0)))
)
