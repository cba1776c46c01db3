;; options: polls
;; A constant occupies nothing from one block to another. The context is in its register up to the first call,
;; and behind it is found from the stack pointer. Where only polls call it stays.
(module
  (memory 1 1 shared)
  (table 4 funcref)
  (type $f (func (param i32) (result i32)))
  ;; x86_64: lacks rdi, qword ptr [rsp
  ;; x86_64: contains mov eax, 5
  ;; x86_64: lacks r15
  (func $calls (param i32) (result i32) (local $step i32)
    (loop $next
      (local.set 0 (i32.load (call_indirect (type $f) (i32.const 7) (local.get 0))))
      (local.set $step
        (if (result i32) (i32.load (local.get 0))
          (then (i32.const 5))
          (else (call_indirect (type $f) (local.get 0) (i32.const 2)))))
      (local.set 0 (i32.add (local.get 0) (local.get $step)))
      (br_if $next (i32.load (local.get 0))))
    (local.get 0))
  ;; x86_64: lacks rsp]
  (func $polls (param i32)
    (loop $next
      (local.set 0 (i32.load (local.get 0)))
      (br_if $next (local.get 0))))
)
