//! System calls of the host, without its C library: the instruction, and the numbers.

#![no_std]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(not(target_arch = "x86_64"))]
pub mod generic;
#[cfg(target_arch = "riscv64")]
mod riscv64;
pub mod sandbox;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
