//! Exceptions: the handler of the one in the context, or the end.

use crate::arch;
use crate::guest::{self, module, tables};
use linnet_abi::context::Context;
use linnet_abi::module::{CallSite, Handler, TAG_ANY};
use linnet_frames::capture::Position;

/// The libcall, called by the frame at `position`.
pub unsafe extern "C" fn throw(context: *mut Context, position: &Position) -> ! {
    let (module, tables) = (module(), tables());
    // SAFETY: the module waits for the host.
    let tag = unsafe { (*context).exception_tag } as u32;
    let Position { mut fp, mut pc, mut saved } = *position;
    while let Some((row, offset)) = tables.find(pc) {
        let function = &tables.rows[row];
        // SAFETY: the ranges are those of the module's tables.
        let (sites, handlers): (&[CallSite], _) = unsafe {
            let first = module.sites.add(function.first_site as usize);
            let list = |s: &CallSite| {
                let first = module.handlers.add(s.first_handler as usize);
                core::slice::from_raw_parts::<Handler>(first, s.handler_count as usize)
            };
            (core::slice::from_raw_parts(first, function.site_count as usize), list)
        };
        let site = sites.binary_search_by_key(&offset, |s| s.offset).ok().map(|i| &sites[i]);
        let wide = (function.wide_site != u32::MAX).then(|| {
            // SAFETY: the row is one of the table.
            unsafe { &*module.sites.add(function.wide_site as usize) }
        });
        if let Some(site) = site.or(wide.filter(|s| offset >= s.offset))
            && let Some(handler) = handlers(site).iter().find(|h| h.tag == tag || h.tag == TAG_ANY)
        {
            let sp = fp - u64::from(site.frame_size);
            let pad = function.start as u64 + u64::from(handler.offset);
            // SAFETY: the tables say that this frame continues there.
            unsafe { arch::enter_handler(pad, sp, fp, &saved) };
        }
        for register in tables.saved(row) {
            let at = fp.wrapping_add_signed(i64::from(register.fp_offset));
            // SAFETY: the prologue of this live frame saved it there.
            saved.set(register.register, unsafe { *(at as *const u64) });
        }
        // SAFETY: a live frame of translated code.
        (fp, pc) = unsafe { (*(fp as *const u64), *((fp + 8) as *const u64)) };
    }
    guest::end("uncaught", 0)
}
