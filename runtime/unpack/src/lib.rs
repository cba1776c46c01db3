//! The first code of a compressed boot binary.
//!
//! Puts the boot binary into memory where it was linked to be, and starts it as the host would have
//! done. The file that this code is in stays where it is: it is not in the way.

#![no_std]

use core::arch::global_asm;
use core::slice;

use linnet_abi::packed::Packed;
use linnet_host::{nr, syscall};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Exit status: the host refused something that the machine needs.
const HOST: usize = 70;
/// Exit status: the file is damaged.
const DAMAGED: usize = 71;

/// The sandbox that the machine is in allows no new code, also after a restart.
const NO_NEW_CODE: &str = "error: a compressed boot binary cannot start again in its sandbox\n\
    hint: start it anew, start it with --no-sandbox, or build it without --compress\n";

unsafe extern "C" {
    #[link_name = "linnet_packed"]
    static PACKED: Packed;
}

// The boot binary starts with the stack that the host gave to this.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rbx, rsp",
    "and rsp, -16",
    "call {unpack}",
    "mov rsp, rbx",
    "xor edx, edx",
    "jmp rax",
    unpack = sym unpack,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "bl {unpack}",
    "mov x16, x0",
    "mov x0, #0",
    "br x16",
    unpack = sym unpack,
);

#[cfg(target_arch = "riscv64")]
global_asm!(
    ".globl _start",
    "_start:",
    "li s0, 0",
    "li ra, 0",
    "call {unpack}",
    "mv t0, a0",
    "li a0, 0",
    "jr t0",
    unpack = sym unpack,
);

/// Puts the boot binary into memory. The result is its first instruction.
extern "C" fn unpack() -> usize {
    const READ_WRITE: usize = 3;
    // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
    const PLACE: usize = 0x02 | 0x20 | 0x10_0000;
    // SAFETY: the builder wrote it.
    let Packed { entry, start, end, segments, segment_count } = unsafe { &PACKED };
    // SAFETY: the builder wrote that many.
    let segments = unsafe { slice::from_raw_parts(*segments, *segment_count as usize) };
    let (start, len) = (*start as usize, (end - start) as usize);
    // SAFETY: nothing lies there, or the call fails.
    let place = unsafe { syscall(nr::MMAP, [start, len, READ_WRITE, PLACE, usize::MAX, 0]) };
    if place as usize != start {
        end_with("error: the host has no memory for the boot binary\n", HOST);
    }
    for segment in segments {
        // SAFETY: the builder wrote the contents there, and nothing else uses the new memory.
        let (packed, place) = unsafe {
            (
                slice::from_raw_parts(segment.packed, segment.packed_len as usize),
                slice::from_raw_parts_mut(segment.address as *mut u8, segment.len as usize),
            )
        };
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, _, written) =
            decompress(&mut DecompressorOxide::new(), packed, place, 0, flags);
        if status != TINFLStatus::Done || written != place.len() {
            end_with("error: the boot binary is damaged\n", DAMAGED);
        }
    }
    show_to_instruction_fetches(start, len);
    for segment in segments {
        let (first, end) = (segment.first_page as usize, segment.end_page as usize);
        let protection = segment.protection as usize;
        // SAFETY: the pages are the segment's own.
        if unsafe { syscall(nr::MPROTECT, [first, end - first, protection, 0, 0, 0]) } != 0 {
            end_with(NO_NEW_CODE, HOST);
        }
    }
    *entry as usize
}

/// x86-64 does this itself, and on RISC-V the host's kernel when it makes pages executable.
#[cfg(not(target_arch = "aarch64"))]
fn show_to_instruction_fetches(_: usize, _: usize) {}

#[cfg(target_arch = "aarch64")]
fn show_to_instruction_fetches(start: usize, len: usize) {
    use core::arch::asm;
    /// The smallest line of a cache that there is.
    const LINE: usize = 16;
    // SAFETY: cache maintenance of own memory.
    unsafe {
        for line in (start..start + len).step_by(LINE) {
            asm!("dc cvau, {0}", in(reg) line, options(nostack));
        }
        asm!("dsb ish", options(nostack));
        for line in (start..start + len).step_by(LINE) {
            asm!("ic ivau, {0}", in(reg) line, options(nostack));
        }
        asm!("dsb ish", "isb", options(nostack));
    }
}

fn end_with(message: &str, status: usize) -> ! {
    const STANDARD_ERROR: usize = 2;
    loop {
        // SAFETY: writes a string and ends the process.
        unsafe {
            let text = message.as_ptr() as usize;
            syscall(nr::WRITE, [STANDARD_ERROR, text, message.len(), 0, 0, 0]);
            syscall(nr::EXIT_GROUP, [status, 0, 0, 0, 0, 0]);
        }
    }
}

#[panic_handler]
#[cfg(not(test))]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    end_with("error: fault in the code that unpacks the boot binary\n", DAMAGED)
}
