;; Division traps as wasm says, on processors that would not as well; the remainder of -1 does not.
(module
  ;; all: contains trap: integer divide by zero
  ;; all: contains trap: integer overflow
  (func $div_s (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  ;; all: contains trap: integer divide by zero
  ;; all: lacks trap: integer overflow
  (func $rem_s (param i32 i32) (result i32)
    (i32.rem_s (local.get 0) (local.get 1)))
  ;; all: lacks trap
  (func $by_constant (param i32) (result i32)
    (i32.div_u (local.get 0) (i32.const 10)))
  ;; all: contains trap: invalid conversion to integer
  (func $truncate (param f64) (result i32)
    (i32.trunc_f64_s (local.get 0)))
  ;; x86_64, aarch64: lacks trap
  (func $truncate_saturating (param f64) (result i32)
    (i32.trunc_sat_f64_s (local.get 0)))
)
