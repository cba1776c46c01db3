;; Read-modify-write operators are one locked instruction or a loop of exclusive accesses, and a full
;; fence. On AArch64 the store of the loop is ordered with what is before it, so that a fence behind is
;; enough, but a comparison that fails has no store.
(module
  (memory 1 1 shared)
  ;; x86_64: contains lock xadd
  ;; aarch64: contains ldaxr
  ;; aarch64: contains stlxr
  ;; aarch64: count 1 dmb ish
  ;; riscv64: contains amoadd.w.aqrl
  ;; all: stores 1
  ;; all: loads 1
  (func $add (param i32 i32) (result i32)
    (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  ;; x86_64: contains lock
  ;; x86_64: lacks xadd
  (func $or_without_result (param i32 i32)
    (drop (i32.atomic.rmw.or (local.get 0) (local.get 1))))
  ;; x86_64: contains lock cmpxchg
  ;; aarch64: contains stlxr
  ;; aarch64: count 2 dmb ish
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  str x28, [sp, #-0x10]!
  ;;|  stp x26, x27, [sp, #-0x10]!
  ;;|  stp x24, x25, [sp, #-0x10]!
  ;;|  and w9, w1, #7
  ;;|  cbnz w9, L3
  ;;|  dmb ish
  ;;|  ldr x11, [x0]
  ;;|  add x25, x11, w1, uxtw
  ;;|  mov x26, x2
  ;;|  mov x28, x3
  ;;|L1:
  ;;|  ldaxr x27, [x25]
  ;;|  cmp x27, x26
  ;;|  b.ne L2
  ;;|  stlxr w24, x28, [x25]
  ;;|  cbnz x24, L1
  ;;|L2:
  ;;|  dmb ish
  ;;|  mov x0, x27
  ;;|  ldp x24, x25, [sp], #0x10
  ;;|  ldp x26, x27, [sp], #0x10
  ;;|  ldr x28, [sp], #0x10
  ;;|  ldp x29, x30, [sp], #0x10
  ;;|  ret
  ;;|L3:
  ;;|  udf #0xc11f  ; trap: unaligned atomic
  ;; riscv64: contains lr.d.aqrl
  ;; riscv64: contains sc.d.aqrl
  (func $compare_exchange (param i32 i64 i64) (result i64)
    (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
  ;; x86_64: contains xchg
  ;; riscv64: contains amoswap.d
  (func $exchange (param i32 i64) (result i64)
    (i64.atomic.rmw.xchg (local.get 0) (local.get 1)))
  ;; aarch64: count 1 dmb ish
  ;; riscv64: contains lr.w.aqrl
  ;; riscv64: contains sc.w.aqrl
  ;; all: lacks unaligned
  (func $byte (param i32 i32) (result i32)
    (i32.atomic.rmw8.add_u (local.get 0) (local.get 1)))
)
