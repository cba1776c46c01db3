//! What differs between the ISAs. Every file here has the same items; `x86_64.rs` tells each in
//! full, another file tells only where its ISA differs.
//!
//! | item                | what it is                                                             |
//! |---------------------|------------------------------------------------------------------------|
//! | `syscall`, `nr`     | the host's system calls                                                |
//! | `switch`, `prepare_stack` | symmetric switch between kernel stacks                           |
//! | `call_on_kernel_stack`, `enter_user`, `jump_to` | the other ways to change the stack         |
//! | `resume_forked`     | first instruction of a forked child in user code                       |
//! | `CalleeSaved`, `enter_handler` | registers that an unwinder restores, and the jump at its end |
//! | `Frame`             | a host signal frame: what it says, moving it, returning through it     |
//! | symbols             | `_start`, `linnet_user_*`, `linnet_libcall_{poll,throw,memory_*}`      |

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
