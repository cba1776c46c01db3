;; atomic.fence also orders a store with a later load.
(module
  (memory 1 1 shared)
  ;; x86_64: count 1 lock or
  ;; x86_64: lacks mfence
  ;; aarch64: count 1 dmb ish
  ;; riscv64: count 1 fence
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r9, qword ptr [rdi]
  ;;|  mov r10d, esi
  ;;|  mov dword ptr [r9 + r10], 1
  ;;|  xor r10d, r10d
  ;;|  lock or dword ptr [rdi + 0xc], r10d
  ;;|  mov r11d, edx
  ;;|  mov eax, dword ptr [r9 + r11]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $store_fence_load (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 1))
    (atomic.fence)
    (i32.load (local.get 1)))
)
