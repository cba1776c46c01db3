//! CLIF to machine code, with what the tables need to know of it.

use crate::error::{Error, Result};
use crate::frames::{self, NativePoint};
use crate::names::{WIDE, WIDE_BEGIN};
use crate::options::Options;
use crate::passes;
use crate::trap::trap_of;
use cranelift_codegen::binemit::{Addend, Reloc};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{DebugTag, ExternalName, LibCall};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, UnwindInst, systemv};
use cranelift_codegen::{
    CodegenError, Context, Final, FinalizedMachExceptionHandler, FinalizedMachReloc,
    FinalizedRelocTarget, MachBufferFinalized, RegClass,
};
use linnet_abi::frames::IN_SLOT;
use linnet_abi::module::{Handler, REGISTER_FLOAT, SavedRegister, TAG_ANY, TrapSite};

/// Where a program's function with loops may begin: at a cache line, so that its speed does not depend on
/// what lies before it.
const LOOPS_ALIGN: u32 = 64;

/// Machine code of one function.
#[derive(Debug)]
pub(crate) struct Code {
    pub bytes: Vec<u8>,
    pub align: u32,
    pub relocations: Vec<Relocation>,
    pub traps: Vec<TrapSite>,
    /// Sorted by offset.
    pub call_sites: Vec<CallSite>,
    /// Which one of them is [`linnet_abi::module::Function::wide_site`].
    pub wide_site: Option<usize>,
    pub saved: Vec<SavedRegister>,
    pub unwind: Option<systemv::UnwindInfo>,
    /// In functions whose lines are known: from this offset on, the code is that of this address in
    /// the module's code section. Sorted by offset.
    pub locations: Vec<(u32, u32)>,
    /// Sorted by offset.
    pub native_points: Vec<NativePoint>,
    /// Frame pointer minus stack pointer.
    pub frame_size: u32,
}

/// A place in the code that holds an address.
#[derive(Debug)]
pub(crate) struct Relocation {
    pub offset: u32,
    pub kind: Reloc,
    pub to: Referent,
    pub addend: Addend,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Referent {
    /// Namespace and number.
    Name(u32, u32),
    /// An offset in the function itself.
    Own(u32),
}

/// A call that has handlers.
#[derive(Debug)]
pub(crate) struct CallSite {
    pub offset: u32,
    pub frame_size: u32,
    pub handlers: Vec<Handler>,
}

/// Compiles the one function that `context` was made for.
pub(crate) fn compile_one(
    mut context: Context,
    isa: &dyn TargetIsa,
    options: &Options,
) -> Result<Code> {
    compile(&mut context, &mut regalloc2::Ctx::default(), isa, options)
}

/// Compiles the function in `context`. `registers` keeps its memory from one to the next.
pub(crate) fn compile(
    context: &mut Context,
    registers: &mut regalloc2::Ctx,
    isa: &dyn TargetIsa,
    options: &Options,
) -> Result<Code> {
    let failed = |e: CodegenError| Error::new(format!("code generator: {e}"));
    passes::optimize(context, isa, options).map_err(failed)?;
    let has_loops = context.loop_analysis.loops().next().is_some();
    let stencil = isa
        .compile_function(
            &context.func,
            &context.domtree,
            registers,
            false,
            &mut ControlPlane::default(),
        )
        .map_err(failed)?;
    let compiled = stencil.apply_params(&context.func.params);
    let buffer = &compiled.buffer;
    let relocations =
        buffer.relocs().iter().map(|r| relocation(r, context)).collect::<Result<_>>()?;
    let traps = buffer
        .traps()
        .iter()
        .filter_map(|t| Some(TrapSite { offset: t.offset, code: trap_of(t.code)? }));
    let native_points = native_points(buffer);
    let mut call_sites: Vec<_> = buffer
        .call_sites()
        .map(|site| CallSite {
            offset: site.ret_addr,
            frame_size: site.frame_offset.unwrap_or(0),
            handlers: site.exception_handlers.iter().filter_map(handler).collect(),
        })
        .filter(|site| !site.handlers.is_empty())
        .collect();
    let locations =
        buffer.get_srclocs_sorted().iter().filter(|l| !l.loc.is_default()).collect::<Vec<_>>();
    let begin = locations.first().map_or(0, |l| l.start);
    let wide_site = split_wide_site(&mut call_sites, begin);
    let unwind = compiled
        .create_unwind_info(isa)
        .map_err(|e| Error::new(format!("code generator: unwind information: {e}")))?;
    let unwind = match unwind {
        Some(UnwindInfo::SystemV(unwind)) => Some(unwind),
        _ => None,
    };
    Ok(Code {
        bytes: buffer.data().to_vec(),
        align: buffer.alignment.max(if has_loops && options.polls { LOOPS_ALIGN } else { 0 }),
        relocations,
        traps: traps.collect(),
        call_sites,
        wide_site,
        saved: saved_registers(&buffer.unwind_info),
        unwind,
        locations: locations
            .iter()
            .filter(|l| l.loc.bits() != WIDE_BEGIN)
            .map(|l| (l.start, l.loc.bits()))
            .collect(),
        native_points,
        frame_size: buffer.frame_layout().map_or(0, |l| l.frame_to_fp_offset),
    })
}

/// Where the code can be captured.
fn native_points(buffer: &MachBufferFinalized<Final>) -> Vec<NativePoint> {
    let slots = buffer.frame_layout().map(|layout| &layout.stackslots);
    let mut known = slots.into_iter().flat_map(|slots| slots.values());
    let poll_slot = known.find(|s| s.key == Some(frames::poll_slot()));
    let poll_slot = IN_SLOT | poll_slot.map_or(0, |s| s.offset);
    let native_point = |offset, frame_size, tag: u32, entry| {
        let point = tag & (frames::POLL_TAG - 1);
        NativePoint { offset, frame_size, function: 0, point, entry }
    };
    let calls = buffer.call_sites().flat_map(|site| {
        let frame_size = site.frame_offset.unwrap_or(0);
        site.exception_handlers.iter().filter_map(move |handler| match *handler {
            FinalizedMachExceptionHandler::Tag(tag, pad)
                if frames::is_capture_point(tag.as_u32()) =>
            {
                let is_poll = tag.as_u32() & frames::POLL_TAG != 0;
                let entry = if is_poll { poll_slot } else { pad };
                Some(native_point(site.ret_addr, frame_size, tag.as_u32(), entry))
            }
            _ => None,
        })
    });
    let frame_size = buffer.frame_layout().map_or(0, |l| l.frame_to_fp_offset);
    let returns: Vec<u32> = buffer.call_sites().map(|call| call.ret_addr).collect();
    let polls = buffer.debug_tags().flat_map(|tags| {
        // Some code may come between the call and the place of its tags.
        let behind = returns.partition_point(|address| *address <= tags.offset);
        let call = behind.checked_sub(1).map(|last| returns[last]);
        let pairs = tags.tags.chunks_exact(2);
        pairs.filter_map(move |pair| match *pair {
            [DebugTag::User(tag), DebugTag::StackSlot(slot)] if frames::is_capture_point(tag) => {
                let entry = IN_SLOT | slots?[slot].offset;
                Some(native_point(call?, frame_size, tag, entry))
            }
            _ => None,
        })
    });
    let mut native_points: Vec<_> = calls.chain(polls).collect();
    // Those of one call stay in their order.
    native_points.sort_by_key(|p| p.offset);
    native_points
}

/// Moves [`WIDE`] handlers to a call site at `begin` and returns its number.
fn split_wide_site(sites: &mut Vec<CallSite>, begin: u32) -> Option<usize> {
    let is_wide = |h: &Handler| h.tag != TAG_ANY && h.tag & WIDE != 0;
    let site = sites.iter_mut().find(|s| s.handlers.iter().any(is_wide))?;
    let mut handlers = std::mem::take(&mut site.handlers);
    for handler in &mut handlers {
        handler.tag &= !WIDE;
    }
    let wide = CallSite { offset: begin, frame_size: site.frame_size, handlers };
    let at = sites.partition_point(|s| s.offset < begin);
    sites.insert(at, wide);
    Some(at)
}

fn relocation(reloc: &FinalizedMachReloc, context: &Context) -> Result<Relocation> {
    let to = match &reloc.target {
        FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
            let name = &context.func.params.user_named_funcs()[*name];
            Referent::Name(name.namespace, name.index)
        }
        FinalizedRelocTarget::Func(offset) => Referent::Own(*offset),
        FinalizedRelocTarget::ExternalName(ExternalName::LibCall(libcall)) => {
            return Err(missing(*libcall));
        }
        FinalizedRelocTarget::ExternalName(name) => {
            return Err(Error::new(format!("code generator: unexpected symbol {name:?}")));
        }
    };
    Ok(Relocation { offset: reloc.offset, kind: reloc.kind, to, addend: reloc.addend })
}

/// The target's flags are chosen so that every operator has instructions.
fn missing(libcall: LibCall) -> Error {
    Error::new(format!("code generator: the target has no instruction for {libcall}"))
}

fn handler(handler: &FinalizedMachExceptionHandler) -> Option<Handler> {
    match *handler {
        FinalizedMachExceptionHandler::Tag(tag, _) if frames::is_capture_point(tag.as_u32()) => {
            None
        }
        FinalizedMachExceptionHandler::Tag(tag, offset) => {
            Some(Handler { tag: tag.as_u32(), offset })
        }
        FinalizedMachExceptionHandler::Default(offset) => Some(Handler { tag: TAG_ANY, offset }),
        FinalizedMachExceptionHandler::Context(_) => None,
    }
}

/// Where the prologue put callee-saved registers.
fn saved_registers(unwind: &[(u32, UnwindInst)]) -> Vec<SavedRegister> {
    let mut frame_to_area = 0;
    let mut saved = Vec::new();
    for (_, inst) in unwind {
        match inst {
            UnwindInst::DefineNewFrame { offset_downward_to_clobbers, .. } => {
                frame_to_area = *offset_downward_to_clobbers as i32;
            }
            UnwindInst::SaveReg { clobber_offset, reg } => {
                let float = if reg.class() == RegClass::Int { 0 } else { REGISTER_FLOAT };
                saved.push(SavedRegister {
                    register: u32::from(reg.hw_enc()) | float,
                    fp_offset: *clobber_offset as i32 - frame_to_area,
                });
            }
            _ => {}
        }
    }
    saved
}
