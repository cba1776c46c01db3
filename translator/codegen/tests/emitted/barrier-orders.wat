;; Processors that reorder get an instruction for each of the kernel's barriers.
(module
  (import "linnet" "smp_rmb" (func $rmb))
  (import "linnet" "smp_wmb" (func $wmb))
  (import "linnet" "smp_acquire" (func $acquire))
  (import "linnet" "smp_release" (func $release))
  (memory 1 1 shared)
  ;; all: loads 2
  ;; aarch64: count 1 dmb ish
  ;; riscv64: count 1 fence
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  ldr x8, [x0]
  ;;|  ldr w7, [x8, w1, uxtw]
  ;;|  dmb ish
  ;;|  ldr w8, [x8, w2, uxtw]
  ;;|  add w0, w7, w8
  ;;|  ldp x29, x30, [sp], #0x10
  ;;|  ret
  ;; riscv64: code
  ;;|  addi sp, -0x10
  ;;|  sd ra, 8(sp)
  ;;|  sd s0, 0(sp)
  ;;|  mv s0, sp
  ;;|  ld a3, 0(a0)
  ;;|  slli a4, a1, 0x20
  ;;|  srli a4, 0x20
  ;;|  add a4, a3
  ;;|  lw a4, 0(a4)
  ;;|  fence
  ;;|  slli a5, a2, 0x20
  ;;|  srli a5, 0x20
  ;;|  add a5, a3
  ;;|  lw a5, 0(a5)
  ;;|  addw a0, a4, a5
  ;;|  ld ra, 8(sp)
  ;;|  ld s0, 0(sp)
  ;;|  addi sp, 0x10
  ;;|  jr ra
  (func $loads (param i32 i32) (result i32)
    (i32.load (local.get 0))
    (call $rmb)
    (i32.add (i32.load (local.get 1))))
  ;; all: stores 2
  ;; aarch64: count 1 dmb ish
  ;; riscv64: count 1 fence
  (func $stores (param i32 i32)
    (i32.store (local.get 0) (i32.const 1))
    (call $wmb)
    (i32.store (local.get 1) (i32.const 2)))
  ;; aarch64: count 2 dmb ish
  ;; riscv64: count 2 fence
  (func $critical_section (param i32 i32) (result i32)
    (i32.load (local.get 0))
    (call $acquire)
    (i32.load (local.get 1))
    (call $release)
    (i32.store (local.get 0) (i32.const 0))
    (i32.add))
)
