;; SPDX-License-Identifier: MIT OR Apache-2.0
;; Results that cannot be written are an error, and a limit of time holds where its signal is blocked.
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "spin") (loop $again (br $again))))
