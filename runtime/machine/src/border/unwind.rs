//! Walking native frames of translated code: for exceptions, and for traces.
//!
//! Every frame has a frame pointer, so a walk needs no tables; an exception needs the module's
//! call sites, to find handlers, and its saved registers, to restore what a frame had in its
//! callee-saved registers when it made the call.
//!
//! User code may lie under user code of a signal handler. Between the two is a frame of the
//! runtime; an [`Activation`] in that frame says where the interrupted code stands.

use crate::arch::{self, Activation, CalleeSaved};
use crate::border::{kernel, user};
use crate::task::Task;
use linnet_abi::context::Context;
use linnet_abi::module::{CallSite, Function, Handler, Module, SavedRegister, TAG_ANY};
use linnet_abi::trap::Trap;

/// Frame pointer and return address that a frame of translated code saved.
///
/// # Safety
/// `fp` must be the frame pointer of a live frame.
unsafe fn caller(fp: u64) -> (u64, u64) {
    // SAFETY: the caller's promise; the layout is the same on all ISAs.
    unsafe { (*(fp as *const u64), *((fp + 8) as *const u64)) }
}

/// The same of a frame of the runtime.
///
/// # Safety
/// `fp` must be the frame pointer of a live frame.
unsafe fn runtime_caller(fp: u64) -> (u64, u64) {
    // SAFETY: the caller's promise.
    unsafe { caller(fp.wrapping_add_signed(arch::RUNTIME_FRAME)) }
}

/// A module's tables as slices.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    pub functions: &'static [Function],
    module: &'static Module,
}

impl Tables {
    pub fn of(module: &'static Module) -> Self {
        // SAFETY: the translator emitted that many.
        let functions = unsafe {
            core::slice::from_raw_parts(module.functions, module.function_count as usize)
        };
        Tables { functions, module }
    }

    /// Number and offset of the function that `pc` lies in; for a return address, the last byte of
    /// the call counts.
    pub fn find(&self, pc: u64, is_return: bool) -> Option<(usize, u32)> {
        let at = pc - u64::from(is_return);
        let n = self.functions.partition_point(|f| f.start as u64 <= at).checked_sub(1)?;
        let f = &self.functions[n];
        (at - (f.start as u64) < u64::from(f.len)).then(|| (n, (pc - f.start as u64) as u32))
    }

    /// Name of a function.
    pub fn name(&self, n: usize) -> &'static [u8] {
        let f = &self.functions[n];
        // SAFETY: the translator emitted the name there.
        unsafe {
            core::slice::from_raw_parts(
                self.module.names.add(f.name_offset as usize),
                f.name_len as usize,
            )
        }
    }

    fn site(&self, f: &Function, offset: u32) -> Option<&'static CallSite> {
        // SAFETY: the range is one of the module's table.
        let sites = unsafe {
            core::slice::from_raw_parts(
                self.module.sites.add(f.first_site as usize),
                f.site_count as usize,
            )
        };
        sites.binary_search_by_key(&offset, |s| s.offset).ok().map(|i| &sites[i])
    }

    fn wide_site(&self, f: &Function, offset: u32) -> Option<&'static CallSite> {
        // SAFETY: the translator emitted a row of that number.
        let site = (f.wide_site != u32::MAX)
            .then(|| unsafe { &*self.module.sites.add(f.wide_site as usize) })?;
        (offset >= site.offset).then_some(site)
    }

    fn handlers(&self, site: &CallSite) -> &'static [Handler] {
        // SAFETY: the range is one of the module's table.
        unsafe {
            core::slice::from_raw_parts(
                self.module.handlers.add(site.first_handler as usize),
                site.handler_count as usize,
            )
        }
    }

    fn saved(&self, f: &Function) -> &'static [SavedRegister] {
        // SAFETY: the range is one of the module's table.
        unsafe {
            core::slice::from_raw_parts(
                self.module.saved.add(f.first_saved as usize),
                f.saved_count as usize,
            )
        }
    }

    /// The trap that the instruction at `pc` raises.
    pub fn trap(&self, pc: u64) -> Option<Trap> {
        let (n, offset) = self.find(pc, false)?;
        let f = &self.functions[n];
        // SAFETY: the range is one of the module's table.
        let traps = unsafe {
            core::slice::from_raw_parts(
                self.module.traps.add(f.first_trap as usize),
                f.trap_count as usize,
            )
        };
        let i = traps.binary_search_by_key(&offset, |t| t.offset).ok()?;
        Trap::from_code(traps[i].code as u8)
    }
}

/// The libcall `throw`: find the handler of the exception in the context, and go there.
///
/// `saved` and `fp` are the callee-saved registers and the frame of the libcall's stub.
#[unsafe(export_name = "linnet_upcall_throw")]
extern "C" fn throw(context: *mut Context, saved: &CalleeSaved, fp: u64) -> ! {
    // SAFETY: only user code throws.
    let task = unsafe { Task::of_user(context) };
    let module = task.module.get().expect("user code has a module");
    let tables = Tables::of(module);
    // SAFETY: the context belongs to the task that this is.
    let tag = unsafe { (*context).exception_tag } as u32;
    let mut saved = *saved;
    // SAFETY: `fp` is the frame of the stub that called this.
    let (mut fp, mut pc) = unsafe { runtime_caller(fp) };
    let mut is_return = true;
    loop {
        let Some((n, offset)) = tables.find(pc, is_return) else {
            let activation = task.activation.get();
            // A libcall that was interrupted keeps a frame of its own.
            if !is_return && fp != 0 {
                is_return = true;
                // SAFETY: live frames, see `arch`.
                (fp, pc) = unsafe { runtime_caller(fp) };
                continue;
            }
            // SAFETY: activations lie in live frames of this stack.
            let Some(activation) = (unsafe { activation.as_ref() }) else { break };
            task.activation.set(activation.outer());
            (fp, pc, saved) = (activation.fp, activation.pc, activation.saved);
            is_return = !activation.is_fault();
            if fp == 0 {
                break;
            }
            continue;
        };
        let function = &tables.functions[n];
        let own = is_return.then(|| tables.site(function, offset)).flatten();
        if let Some(site) = own.or_else(|| tables.wide_site(function, offset)) {
            let mut handlers = tables.handlers(site).iter();
            if let Some(handler) = handlers.find(|h| h.tag == tag || h.tag == TAG_ANY) {
                let sp = fp - u64::from(site.frame_size);
                let pad = function.start as u64 + u64::from(handler.offset);
                if task.has_left_reserve(sp as usize) {
                    leave_reserve(task, Landing { pad, sp, fp, saved });
                }
                // SAFETY: the tables say that this frame continues there.
                unsafe { arch::enter_handler(pad, sp, fp, &raw const saved) };
            }
        }
        for register in tables.saved(function) {
            let at = fp.wrapping_add_signed(i64::from(register.fp_offset));
            // SAFETY: the prologue of this live frame saved it there.
            saved.set(register.register, unsafe { *(at as *const u64) });
        }
        // SAFETY: a live frame.
        (fp, pc) = unsafe { caller(fp) };
        is_return = true;
    }
    uncaught(task)
}

/// Where an exception is caught.
struct Landing {
    pad: u64,
    sp: u64,
    fp: u64,
    saved: CalleeSaved,
}

/// Go there, and shorten the user stack, which this very function may run at the end of.
fn leave_reserve(task: &Task, landing: Landing) -> ! {
    extern "C" fn go(task: usize, landing: usize, _: usize) -> ! {
        // SAFETY: both were made below.
        let (task, landing) = unsafe { (&*(task as *const Task), &*(landing as *const Landing)) };
        task.drop_reserve();
        // SAFETY: the module's tables say that this frame continues there.
        unsafe {
            arch::enter_handler(landing.pad, landing.sp, landing.fp, &raw const landing.saved)
        }
    }
    let place = task.address() - size_of::<Landing>();
    // SAFETY: user code runs, so that its kernel stack is empty.
    unsafe {
        (place as *mut Landing).write(landing);
        arch::jump_to(place, go, task.address(), place, 0)
    }
}

/// Nobody catches: the program dies of it.
fn uncaught(mut task: &Task) -> ! {
    extern "C" fn call(task: &Task, signal: u64, code: u64) -> u64 {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::user_trap(task.kernel_context(), signal as u32, code as u32, 0) };
        0
    }
    let (signal, code) = Trap::UncaughtException.signal();
    loop {
        // SAFETY: on the task's user stack; its kernel stack is empty.
        unsafe { arch::call_on_kernel_stack(task, call, u64::from(signal), u64::from(code)) };
        user::run_actions(task, 0, &mut Activation::bottom());
        task = Task::current();
    }
}

/// Frames of kernel code from a frame pointer and return address outwards: function number and
/// offset of each.
pub fn trace(
    tables: Tables,
    task: &Task,
    mut fp: u64,
    mut pc: u64,
    mut is_return: bool,
    mut frame: impl FnMut(u32, u32) -> bool,
) {
    let top = task.address() as u64;
    let bottom = top - (1 << 20);
    loop {
        let found = tables.find(pc, is_return);
        if let Some((n, offset)) = found
            && !frame(n as u32, offset)
        {
            return;
        }
        if !fp.is_multiple_of(8) || fp < bottom || fp + 16 > top {
            return;
        }
        // SAFETY: inside the task's kernel stack, which is mapped where frames lie.
        let next = unsafe { if found.is_some() { caller(fp) } else { runtime_caller(fp) } };
        if next.0 <= fp {
            // The outermost frame still has its return address.
            if let Some((n, offset)) = tables.find(next.1, true) {
                frame(n as u32, offset);
            }
            return;
        }
        (fp, pc) = next;
        is_return = true;
    }
}
