;; The base of the linear memory is loaded once in a function, and not at all where it is not needed.
(module
  (memory 1 1 shared)
  (func $other)
  ;; x86_64: count 1 qword ptr [rdi]
  ;; aarch64: count 1 [x0]
  ;; riscv64: count 1 ld a0, 0(a0)
  ;; all: loop loads 2
  (func $loop (param i32) (result i32)
    (loop $again
      (br_if $again (i32.add (i32.load (local.get 0)) (i32.load offset=8 (local.get 0)))))
    (i32.load (local.get 0)))
  ;; x86_64: count 1 qword ptr [rdi]
  (func $across_a_call (param i32) (result i32)
    (i32.load (local.get 0))
    (call $other)
    (i32.add (i32.load (local.get 0))))
  ;; x86_64: lacks [rdi
  ;; aarch64: lacks [x0
  ;; riscv64: lacks (a0)
  (func $unused (param i32) (result i32)
    (local.get 0))
)
