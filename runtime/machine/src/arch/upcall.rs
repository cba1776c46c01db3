//! Every function of a higher floor that a lower one calls: assembly, and what leads back to where it all
//! began. Who defines it exports it as `linnet_upcall_<name>`.

use super::activation::Interrupted;
use super::head::TaskHead;
use linnet_abi::context::Context;
use linnet_unwind::CalleeSaved;

macro_rules! upcalls {
    ($($(#[doc = $doc:literal])* $safety:ident fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        unsafe extern "C" {
            $(
                $(#[doc = $doc])*
                #[link_name = concat!("linnet_upcall_", stringify!($name))]
                pub $safety fn $name($($argument: $type),*) $(-> $result)?;
            )*
        }
    };
}

upcalls! {
    /// `boot::entry`. The host starts the process, with this stack pointer.
    unsafe fn start(stack: *const usize) -> !;
    /// `boot::entry`. The guest asks for a restart.
    safe fn restart() -> !;
    /// `border::user`, on the user stack. The user code `interrupted` found its poll word set.
    unsafe fn poll(task: &TaskHead, interrupted: &Interrupted);
    /// `border::user`, on the user stack. The kernel returned and left an action; gives what `interrupted`
    /// gets instead of `result`.
    unsafe fn run_actions(task: &TaskHead, result: u64, interrupted: &Interrupted) -> u64;
    /// `border::user`, on the kernel stack. User import `context_swap`; the frames that user code goes on
    /// in are those at `user_sp` afterwards.
    unsafe fn context_swap(task: &TaskHead, from: u32, to: u32, function: u32, argument: u32, stack: u32) -> u32;
    /// `border::unwind`, on the user stack. Libcall `throw`, from the stub's frame at `fp` whose caller had
    /// these registers.
    unsafe fn throw(context: *mut Context, saved: &CalleeSaved, fp: u64) -> !;
    /// `border::hostcall`. Host call `switch_to`, during which frames may be captured.
    unsafe fn switch_to(context: *mut Context, previous: u32, next: u32) -> u32;
    /// `border::hostcall`. Host call `snapshot`, which captures the caller's frames, too.
    unsafe fn snapshot(context: *mut Context, end: u32) -> i32;
}
