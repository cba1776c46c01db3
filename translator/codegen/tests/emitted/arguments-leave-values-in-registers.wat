;; A value that several calls take stays in a callee-saved register, extended where it comes in or back. Each call
;; gets a copy. Nothing has a slot: the context is found from the stack pointer.
(module
  (memory 1 1 shared)
  (table 4 funcref)
  (type $f (func (param i32 i32) (result i32)))
  ;; x86_64: contains mov r12d, esi
  ;; x86_64: contains mov ebx, eax
  ;; x86_64: count 3 mov esi, r12d
  ;; x86_64: count 4 0xffffffffff000000
  ;; Saved in the beginning, restored at the end.
  ;; x86_64: count 2 qword ptr [rsp]
  (func $f (param $list i32) (param $next i32) (result i32)
    (local $node i32)
    (local.set $node (call_indirect (type $f) (local.get $list) (i32.const 1) (i32.const 0)))
    (drop (call_indirect (type $f) (local.get $list) (local.get $node) (i32.const 1)))
    (drop (call_indirect (type $f) (local.get $node) (local.get $list) (i32.const 2)))
    (drop (call_indirect (type $f) (local.get $list) (local.get $node) (i32.const 3)))
    (i32.store (local.get $node) (local.get $next))
    (i32.add (i32.load (local.get $list)) (i32.load offset=4 (local.get $node))))
)
