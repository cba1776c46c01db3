;; Read-modify-write operators are one locked instruction or a loop of exclusive accesses.
(module
  (memory 1 1 shared)
  ;; x86_64: contains lock xadd
  ;; aarch64: contains ldaxr
  ;; aarch64: contains stlxr
  ;; riscv64: contains amoadd.w
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
  ;; riscv64: contains sc.d
  (func $compare_exchange (param i32 i64 i64) (result i64)
    (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
  ;; x86_64: contains xchg
  ;; riscv64: contains amoswap.d
  (func $exchange (param i32 i64) (result i64)
    (i64.atomic.rmw.xchg (local.get 0) (local.get 1)))
  ;; riscv64: contains lr.w
  ;; all: lacks unaligned
  (func $byte (param i32 i32) (result i32)
    (i32.atomic.rmw8.add_u (local.get 0) (local.get 1)))
)
