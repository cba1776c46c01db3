;; The slot of the host's address space takes any index and offset: no comparison, no trap.
(module
  (memory 1 1 shared)
  ;; all: lacks trap
  ;; x86_64: lacks cmp
  ;; aarch64: lacks cmp
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov esi, esi
  ;;|  mov rdi, qword ptr [rdi]
  ;;|  mov eax, dword ptr [rdi + rsi]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  ldr x4, [x0]
  ;;|  ldr w0, [x4, w1, uxtw]
  ;;|  ldp x29, x30, [sp], #0x10
  ;;|  ret
  ;; riscv64: code
  ;;|  addi sp, -0x10
  ;;|  sd ra, 8(sp)
  ;;|  sd s0, 0(sp)
  ;;|  mv s0, sp
  ;;|  ld a0, 0(a0)
  ;;|  slli a1, 0x20
  ;;|  srli a1, 0x20
  ;;|  add a0, a1
  ;;|  lw a0, 0(a0)
  ;;|  ld ra, 8(sp)
  ;;|  ld s0, 0(sp)
  ;;|  addi sp, 0x10
  ;;|  jr ra
  (func $load (param i32) (result i32)
    (i32.load (local.get 0)))
  ;; all: lacks trap
  ;; all: loads 1
  (func $largest_offset (param i32) (result i32)
    (i32.load offset=0xffffffff (local.get 0)))
  ;; all: lacks trap
  (func $store (param i32 i64)
    (i64.store offset=0x7fffffff (local.get 0) (local.get 1)))
)
