;; Waiting for a variable that another vCPU writes ends: every round reads the memory.
(module
  (memory 1 1 shared)
  ;; all: loop loads 1
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov esi, esi
  ;;|  mov rdi, qword ptr [rdi]
  ;;|L1:
  ;;|  mov r8d, dword ptr [rdi + rsi]
  ;;|  test r8d, r8d
  ;;|  je L1
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  ldr x4, [x0]
  ;;|L1:
  ;;|  ldr w5, [x4, w1, uxtw]
  ;;|  cbz w5, L1
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
  ;;|L1:
  ;;|  lw a1, 0(a0)
  ;;|  addiw a1, 0
  ;;|  beqz a1, L1
  ;;|  ld ra, 8(sp)
  ;;|  ld s0, 0(sp)
  ;;|  addi sp, 0x10
  ;;|  jr ra
  (func $wait (param i32)
    (loop $again
      (br_if $again (i32.eqz (i32.load (local.get 0))))))
)
