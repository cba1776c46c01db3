;; error: the kernel's entry page_fault has type (i32) -> (), expected (i32, i32) -> ()
;; hint: rebuild the kernel with this version's linnet_abi.h
;; prefix: kernel
(module
  (func (export "page_fault") (param i32)))
