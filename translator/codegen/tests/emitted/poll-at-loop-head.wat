;; options: polls
;; In a program every loop head looks at the poll word and calls the runtime out of the way.
(module
  (memory 1 1 shared)
  ;; all: count 1 linnet_libcall_poll
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|L1:
  ;;|  mov r8d, dword ptr [rdi + 8]
  ;;|  test r8d, r8d
  ;;|  je L1
  ;;|  call linnet_libcall_poll
  ;;|  mov rdi, rsp
  ;;|  and rdi, 0xffffffffff000000
  ;;|  jmp L1
  (func $endless
    (loop $again (br $again)))
  ;; all: count 2 linnet_libcall_poll
  (func $nested (param i32)
    (loop $outer
      (loop $inner
        (br_if $inner (i32.load (local.get 0))))
      (br_if $outer (i32.load offset=4 (local.get 0)))))
  ;; all: lacks linnet_libcall_poll
  (func $no_loop (param i32) (result i32)
    (block $out
      (br_if $out (local.get 0))
      (return (i32.const 1)))
    (i32.const 2))
)
