;; Small copies and fills of constant size are loads and stores; all loads of a copy come first.
(module
  (memory 1 1 shared)
  ;; all: lacks linnet_libcall
  ;; all: loads 2
  ;; all: stores 2
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  mov r9d, edx
  ;;|  mov r8d, esi
  ;;|  mov r10, qword ptr [rdi]
  ;;|  mov r11, qword ptr [r10 + r9]
  ;;|  mov r9d, dword ptr [r10 + r9 + 8]
  ;;|  mov qword ptr [r10 + r8], r11
  ;;|  mov dword ptr [r10 + r8 + 8], r9d
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  (func $copy_12 (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 12)))
  ;; all: loads 0
  ;; all: stores 0
  (func $copy_nothing (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 0)))
  ;; x86_64, aarch64: loads 4
  ;; riscv64: loads 8
  ;; all: lacks linnet_libcall
  (func $copy_64 (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 64)))
  ;; all: contains linnet_libcall_memory_copy
  (func $copy_65 (param i32 i32)
    (memory.copy (local.get 0) (local.get 1) (i32.const 65)))
  ;; all: contains linnet_libcall_memory_copy
  (func $copy_any (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  ;; all: stores 2
  ;; all: lacks linnet_libcall
  (func $fill_9 (param i32)
    (memory.fill (local.get 0) (i32.const 0) (i32.const 9)))
  ;; all: contains linnet_libcall_memory_fill
  (func $fill_any (param i32 i32)
    (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
)
