;; Imports as those of programs for another port of Linux to WebAssembly.
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "__wasm_syscall_1" (func (param i32 i32 i32 i32) (result i32)))
  (func (export "_start")))
