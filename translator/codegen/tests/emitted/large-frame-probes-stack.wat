;; A frame that may be larger than the gap below a stack touches its pages in order; a small one does not.
(module
  (type $hundred (func (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (type $take (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "linux" "fork" (func $fork (result i32)))
  ;; Exported, so not inlined.
  (func $make (export "make") (type $hundred) (unreachable))
  (func $use (export "use") (type $take))
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  call linnet_user_fork
  ;;|  mov rsp, rbp
  ;;|  pop rbp
  ;;|  ret
  ;; all: lacks sub
  (func $small (result i32)
    (call $fork))
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|  sub rsp, 0x4000
  ;;|  mov dword ptr [rsp], 0
  ;;|  add rsp, 0x4000
  ;;|  ...
  ;; aarch64: code
  ;;|  stp x29, x30, [sp, #-0x10]!
  ;;|  mov x29, sp
  ;;|  sub sp, sp, #4, lsl #12
  ;;|  stur wzr, [sp]
  ;;|  add sp, sp, #4, lsl #12
  ;;|  stp x27, x28, [sp, #-0x10]!
  ;;|  ...
  ;; riscv64: code
  ;;|  addi sp, -0x10
  ;;|  sd ra, 8(sp)
  ;;|  sd s0, 0(sp)
  ;;|  mv s0, sp
  ;;|  lui t3, 0xffffc
  ;;|  add sp, t3
  ;;|  sw zero, 0(sp)
  ;;|  lui t6, 4
  ;;|  ...
  (func $large
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $make
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use
    call $use)
)
