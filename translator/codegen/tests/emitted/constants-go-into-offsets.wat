;; A constant that is added to an index goes into the offset of the access if a sum that wraps around
;; faults in any case: below 64 KiB, with the offset and the width.
(module
  (memory 1 1 shared)
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r10d, esi
  ;;|  mov r9, qword ptr [rdi]
  ;;|  mov r8d, dword ptr [r9 + r10]
  ;;|  mov edi, dword ptr [r9 + r10 + 8]
  ;;|  lea eax, [r8 + rdi]
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;; aarch64: contains #8]
  ;; riscv64: contains , 8(
  (func $neighbours (param $at i32) (result i32)
    (i32.load (local.get $at))
    (i32.load (i32.add (local.get $at) (i32.const 8)))
    (i32.add))
  ;; x86_64: contains + 0xfff0]
  (func $largest (param $at i32) (result i32)
    (i32.load8_u offset=4 (i32.add (local.get $at) (i32.const 0xffec))))
  ;; It might read what is mapped at 64 KiB.
  ;; x86_64: lacks + 0xfff
  (func $too_large (param $at i32) (result i32)
    (i32.load8_u offset=4 (i32.add (local.get $at) (i32.const 0xffed))))
  ;; A sum that wraps around may be an address here.
  ;; x86_64: contains 0xfffffff8
  (func $negative (param $at i32) (result i32)
    (i32.load8_u offset=4 (i32.add (local.get $at) (i32.const -8))))
  ;; The sum cannot wrap around.
  ;; x86_64: contains + 0x20000]
  (func $table (param $byte i32) (result i32)
    (i32.load8_u (i32.add (i32.and (local.get $byte) (i32.const 255)) (i32.const 0x20000))))
)
