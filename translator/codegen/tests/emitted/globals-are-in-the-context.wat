;; Mutable globals are context slots, of which the code generator may keep copies; constants are code.
(module
  (global $__stack_pointer (mut i32) (i32.const 65536))
  (global $constant i32 (i32.const 42))
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov eax, dword ptr [rdi + 0x48]
  ;;|  mov rsi, rax
  ;;|  sub esi, 0x10
  ;;|  mov dword ptr [rdi + 0x48], esi
  ;;|  sub eax, 0x10
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $frame (param i32) (result i32)
    (global.set $__stack_pointer (i32.sub (global.get $__stack_pointer) (i32.const 16)))
    (global.get $__stack_pointer))
  ;; x86_64: lacks [rdi
  ;; x86_64: contains 0x2a
  (func $get_constant (result i32)
    (global.get $constant))
)
