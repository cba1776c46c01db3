;; The kernel polls by itself: its loops are bare.
(module
  (memory 1 1 shared)
  ;; all: lacks linnet_libcall_poll
  ;; x86_64: code
  ;;|  push rbp
  ;;|  mov rbp, rsp
  ;;|L1:
  ;;|  jmp L1
  (func $endless
    (loop $again (br $again)))
)
