;; Memory is an operand of the instruction that changes it: its load is not one of its own.
(module
  (memory 1 1 shared)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov esi, esi
  ;;|  mov rdi, qword ptr [rdi]
  ;;|  add dword ptr [rdi + rsi], edx
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $add (param $at i32) (param $value i32)
    (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $value))))
)
