//! Small functions in place of calls of them.
//!
//! LLVM has inlined within each C file, and for WebAssembly's prices. A native call costs more: the
//! context and what lives across the call must be where the convention wants them.

mod capture_points;

use super::{Env, Variant, Worker, adapter};
use crate::frames::{INLINED_TAG, NativePoint};
use crate::module::tail_calls;
use crate::names::{data, namespace};
use capture_points::Capture;
use cranelift_codegen::Context;
use cranelift_codegen::FxHashSet;
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{
    ExternalName, FuncRef, Function, Inst, InstructionData, Opcode, SourceLoc, Value,
};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;

/// Bytes of wasm that a function may have to be inlined. The kernel's system calls get 3 % faster by it,
/// its code grows by 5 %; with 80 bytes it grows by 11 % and gets no faster.
const MAX_BYTES: u64 = 50;

/// The same for calls in loops of programs. A function may be inlined into itself, once for each call.
const MAX_BYTES_IN_LOOPS: u64 = 120;

/// Bytes of wasm that calls of a function may be replaced by, beside as many as it has itself.
const MIN_BUDGET: u64 = 200;

/// Functions that can be inlined, by their wasm indices.
pub(super) struct Inlinable {
    functions: HashMap<u32, Small>,
    /// Those that have capture points: the number of the first as tags have it, and the wasm index.
    first_points: Vec<(u32, u32)>,
}

struct Small {
    size: u64,
    function: Function,
    /// Where its frames can be captured.
    points: u32,
}

impl Inlinable {
    pub(super) fn find(env: &Env) -> Inlinable {
        // The kernel polls by itself and is large: its loops are not hot ones.
        let most = if env.options.polls { MAX_BYTES_IN_LOOPS } else { MAX_BYTES };
        let small =
            env.module.bodies.par_iter().enumerate().map_init(Worker::new, |worker, (i, body)| {
                let index = env.module.imported() + i as u32;
                let range = body.body.range();
                let size = range.end - range.start;
                // An exported function has the runtime's signature, not the one of calls. A debugger
                // can only stop in one that is there.
                if size > most || env.is_exported(index) || env.has_lines(&body.body) {
                    return None;
                }
                if adapter::mismatched(env, index).is_some() {
                    return None;
                }
                // A call in place of a tail call would be no capture point.
                if env.options.frames && env.tail_calls && tail_calls::makes_one(&body.body) {
                    return None;
                }
                // A mistake is reported when the function's turn comes.
                let points =
                    worker.build(env, index, body, Variant::Call, false).ok()?.len() as u32;
                let function = &worker.context.func;
                let small = || Small { size, function: function.clone(), points };
                is_suitable(function).then(|| (index, small()))
            });
        let mut small: Vec<_> = small.flatten_iter().collect();
        small.sort_unstable_by_key(|(index, _)| *index);
        let (mut first_points, mut next) = (Vec::new(), INLINED_TAG);
        for (index, Small { function, points, .. }) in &mut small {
            if *points > 0 {
                first_points.push((next, *index));
                capture_points::renumber(function, next);
                next += *points;
            }
        }
        Inlinable { functions: small.into_iter().collect(), first_points }
    }

    /// Says whose the capture points of a function's places are.
    pub(super) fn resolve(&self, index: u32, native_points: &mut [NativePoint]) {
        for native_point in native_points {
            native_point.function = index;
            if native_point.point & INLINED_TAG != 0 {
                let behind =
                    self.first_points.partition_point(|(first, _)| *first <= native_point.point);
                let (first, function) = self.first_points[behind - 1];
                (native_point.function, native_point.point) =
                    (function, native_point.point - first);
            }
        }
    }

    /// What a function calls, if that can be inlined.
    fn get(&self, caller: &Function, callee: FuncRef) -> Option<&Small> {
        let ExternalName::User(name) = caller.dfg.ext_funcs[callee].name else { return None };
        let name = &caller.params.user_named_funcs()[name];
        let is_function = name.namespace == namespace::FUNCTION;
        is_function.then(|| self.functions.get(&name.index)).flatten()
    }

    /// For a function of `size` bytes of wasm.
    pub(super) fn apply(&self, size: u64, context: &mut Context) -> Inliner<'_> {
        let (budget, hot) = (size.max(MIN_BUDGET), self.hot(context));
        let has_wide_handler = capture_points::has_wide_handler(&context.func);
        Inliner { inlinable: self, budget, hot, has_wide_handler, calls: Vec::new() }
    }

    fn is_call(inst: &InstructionData) -> bool {
        matches!(inst.opcode(), Opcode::Call | Opcode::TryCall)
    }

    /// Calls in loops.
    fn hot(&self, context: &mut Context) -> FxHashSet<Inst> {
        let mut hot = FxHashSet::default();
        let mut callees = context.func.dfg.ext_funcs.keys();
        let matters = |callee| self.get(&context.func, callee).is_some_and(|s| s.size > MAX_BYTES);
        if !callees.any(matters) {
            return hot;
        }
        context.compute_cfg();
        context.compute_domtree();
        context.compute_loop_analysis();
        let func = &context.func;
        for block in func.layout.blocks() {
            if context.loop_analysis.innermost_loop(block).is_some() {
                let insts = func.layout.block_insts(block);
                hot.extend(insts.filter(|inst| Self::is_call(&func.dfg.insts[*inst])));
            }
        }
        // Inlining makes blocks that these do not know.
        context.cfg.clear();
        context.domtree.clear();
        context.loop_analysis.clear();
        hot
    }
}

/// Whether the code generator can inline it rightly. No function that catches exceptions is, and the code
/// generator takes the name of a datum for that of the same number in the caller: right only for the one
/// that all functions declare first.
fn is_suitable(function: &Function) -> bool {
    let mut names = function.params.user_named_funcs().values();
    let own = names.find(|n| n.namespace == namespace::DATA && n.index != data::TABLE);
    own.is_none()
        && function
            .dfg
            .exception_tables
            .values()
            .all(|t| capture_points::only_capture_point(t).is_some())
}

/// One function's calls.
pub(super) struct Inliner<'i> {
    inlinable: &'i Inlinable,
    budget: u64,
    hot: FxHashSet<Inst>,
    /// Whether the function catches what any of its code throws: it stays as it is where frames are
    /// captured.
    has_wide_handler: bool,
    /// The calls that were replaced.
    calls: Vec<Replaced>,
}

struct Replaced {
    /// Number of the first instruction of what is there instead.
    start: usize,
    /// Where the call was.
    location: SourceLoc,
    /// How the caller is captured in it.
    capture: Option<Capture>,
}

impl Inliner<'_> {
    /// Completes what is there in place of calls.
    pub(super) fn finish(&self, caller: &mut Function) {
        let end = caller.dfg.num_insts();
        let ends = self.calls.iter().skip(1).map(|next| next.start).chain([end]);
        for (Replaced { start, location, capture }, end) in self.calls.iter().zip(ends) {
            let insts = (*start..end).map(|number| Inst::from_u32(number as u32));
            // They have no location of their own.
            if !location.is_default() {
                for inst in insts.clone() {
                    caller.set_srcloc(inst, *location);
                }
            }
            if let Some(capture) = capture {
                capture.complete(caller, insts);
            }
        }
    }
}

impl Inline for Inliner<'_> {
    fn inline(
        &mut self,
        caller: &Function,
        call: Inst,
        opcode: Opcode,
        callee: FuncRef,
        _: &[Value],
    ) -> InlineCommand<'_> {
        let capture = match opcode {
            Opcode::Call => None,
            // A call that catches exceptions stays.
            Opcode::TryCall if self.has_wide_handler => return InlineCommand::KeepCall,
            Opcode::TryCall => match Capture::find(caller, call) {
                None => return InlineCommand::KeepCall,
                capture => capture,
            },
            _ => return InlineCommand::KeepCall,
        };
        match self.inlinable.get(caller, callee) {
            Some(small)
                if small.size <= self.budget
                    && (small.size <= MAX_BYTES || self.hot.contains(&call))
                    // Who has capture points is captured, and then the caller must be.
                    && (small.points == 0 || capture.is_some()) =>
            {
                self.budget -= small.size;
                let (start, location) = (caller.dfg.num_insts(), caller.srcloc(call));
                self.calls.push(Replaced { start, location, capture });
                InlineCommand::Inline {
                    callee: Cow::Borrowed(&small.function),
                    visit_callee: false,
                }
            }
            _ => InlineCommand::KeepCall,
        }
    }
}
