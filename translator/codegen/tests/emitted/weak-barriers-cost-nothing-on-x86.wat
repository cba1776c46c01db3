;; A total store order keeps what these barriers ask for: no instruction, and no access moves.
(module
  (import "linnet" "smp_rmb" (func $rmb))
  (import "linnet" "smp_wmb" (func $wmb))
  (memory 1 1 shared)
  ;; x86_64: lacks lock
  ;; x86_64: lacks fence
  ;; x86_64: lacks call
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r11d, esi
  ;;|  mov r9d, edx
  ;;|  mov rax, qword ptr [rdi]
  ;;|  mov r10d, dword ptr [rax + r11]
  ;;|  mov r11d, dword ptr [rax + r11]
  ;;|  mov dword ptr [rax + r9], 1
  ;;|  mov dword ptr [rax + r9], 2
  ;;|  lea eax, [r10 + r11]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $with (param i32 i32) (result i32)
    (i32.load (local.get 0))
    (call $rmb)
    (i32.load (local.get 0))
    (i32.store (local.get 1) (i32.const 1))
    (call $wmb)
    (i32.store (local.get 1) (i32.const 2))
    (i32.add))
)
