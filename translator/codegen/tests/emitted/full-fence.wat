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
  ;;|  mov r11d, esi
  ;;|  mov r9d, edx
  ;;|  mov r10, qword ptr [rdi]
  ;;|  mov dword ptr [r10 + r11], 1
  ;;|  xor r11d, r11d
  ;;|  lock or dword ptr [rdi + 0xc], r11d
  ;;|  mov eax, dword ptr [r10 + r9]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $store_fence_load (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 1))
    (atomic.fence)
    (i32.load (local.get 1)))
)
