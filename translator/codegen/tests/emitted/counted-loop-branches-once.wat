;; The counter is compared behind its increment, in place: one branch goes back.
(module
  (memory 1 1 shared)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov ecx, esi
  ;;|  xor eax, eax
  ;;|  mov rdx, qword ptr [rdi]
  ;;|  add rcx, rdx
  ;;|  xor r9, r9
  ;;|L1:
  ;;|  mov edx, dword ptr [rcx + r9]
  ;;|  add eax, edx
  ;;|  add r9d, 4
  ;;|  cmp r9d, 0x190
  ;;|  jne L1
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $sum (param $at i32) (result i32) (local $i i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.load (i32.add (local.get $at) (local.get $i)))))
      (i32.eq (local.get $i) (i32.const 396))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $again (i32.eqz)))
    (local.get $sum))
)
