;; A pointer that comes from memory is zero-extended by its load, not at each use.
(module
  (memory 1 1 shared)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov eax, esi
  ;;|  mov rdi, qword ptr [rdi]
  ;;|L1:
  ;;|  mov eax, dword ptr [rdi + rax]
  ;;|  mov r8d, dword ptr [rdi + rax + 4]
  ;;|  test r8d, r8d
  ;;|  jne L1
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $last (param $node i32) (result i32) (local $next i32)
    (loop $again
      (local.set $node (local.tee $next (i32.load (local.get $node))))
      (br_if $again (i32.load offset=4 (local.get $next))))
    (local.get $node))
)
