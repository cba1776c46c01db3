;; Two loads of one address are two loads: what C calls volatile.
(module
  (memory 1 1 shared)
  ;; all: loads 2
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r10d, esi
  ;;|  mov r9, qword ptr [rdi]
  ;;|  mov r8d, dword ptr [r9 + r10]
  ;;|  mov edi, dword ptr [r9 + r10]
  ;;|  lea eax, [r8 + rdi]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $same_address (export "f") (param i32) (result i32)
    (i32.add (i32.load (local.get 0)) (i32.load (local.get 0))))
  ;; all: loads 2
  (func $unused_results (param i32)
    (drop (i32.load (local.get 0)))
    (drop (i32.load (local.get 0))))
  ;; all: loads 2
  (func $of_different_width (param i32) (result i64)
    (i64.add (i64.load8_u (local.get 0)) (i64.load (local.get 0))))
)
