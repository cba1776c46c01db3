//! Small functions in place of calls of them.
//!
//! LLVM has inlined within each C file, and for WebAssembly's prices. A native call costs more: the
//! context and what lives across the call must be where the convention wants them.

use super::{Env, Variant, Worker};
use crate::compile::{data, namespace};
use cranelift_codegen::Context;
use cranelift_codegen::FxHashSet;
use cranelift_codegen::inline::{Inline, InlineCommand};
use cranelift_codegen::ir::{ExternalName, FuncRef, Function, Inst, Opcode, SourceLoc, Value};
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
}

struct Small {
    size: u64,
    function: Function,
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
                // An exported function has the runtime's signature, not the one of calls. A function
                // with sites is captured as a frame of its own. A debugger can only stop in one that
                // is there.
                if size > most
                    || env.is_exported(index)
                    || env.reaches.get(index as usize).is_some_and(|reaches| *reaches)
                    || env.has_lines(&body.body)
                    || worker.build(env, index, body, Variant::Call).is_err()
                {
                    // A mistake is reported when the function's turn comes.
                    return None;
                }
                let function = &worker.context.func;
                is_suitable(function).then(|| (index, Small { size, function: function.clone() }))
            });
        Inlinable { functions: small.flatten_iter().collect() }
    }

    /// What a function calls, if that can be inlined.
    fn get(&self, caller: &Function, callee: FuncRef) -> Option<&Small> {
        let ExternalName::User(name) = caller.dfg.ext_funcs[callee].name else { return None };
        let name = &caller.params.user_named_funcs()[name];
        let is_function = name.namespace == namespace::FUNCTION;
        is_function.then(|| self.functions.get(&name.index)).flatten()
    }

    /// For a function of `size` bytes of wasm.
    pub(super) fn apply(&self, size: u64, hot: FxHashSet<Inst>) -> Inliner<'_> {
        Inliner { inlinable: self, budget: size.max(MIN_BUDGET), hot, calls: Vec::new() }
    }

    /// Calls in loops.
    pub(super) fn hot(&self, context: &mut Context) -> FxHashSet<Inst> {
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
                hot.extend(insts.filter(|inst| func.dfg.insts[*inst].opcode() == Opcode::Call));
            }
        }
        // Inlining makes blocks that these do not know.
        context.cfg.clear();
        context.domtree.clear();
        context.loop_analysis.clear();
        hot
    }
}

/// Whether the code generator can inline it rightly. It knows no call with handlers, and it takes the
/// name of a datum for that of the same number in the caller: right only for the one that all
/// functions declare first.
fn is_suitable(function: &Function) -> bool {
    let mut names = function.params.user_named_funcs().values();
    let own = names.find(|n| n.namespace == namespace::DATA && n.index != data::TABLE);
    function.dfg.exception_tables.is_empty() && own.is_none()
}

/// One function's calls.
pub(super) struct Inliner<'i> {
    inlinable: &'i Inlinable,
    budget: u64,
    hot: FxHashSet<Inst>,
    /// The calls that were replaced: number of the first instruction of what is there instead, and
    /// where the call was.
    calls: Vec<(usize, SourceLoc)>,
}

impl Inliner<'_> {
    /// Gives instructions in place of a call its location: they have none of their own.
    pub(super) fn locate(&self, caller: &mut Function) {
        let end = caller.dfg.num_insts();
        let ends = self.calls.iter().skip(1).map(|next| next.0).chain([end]);
        for ((start, location), end) in self.calls.iter().zip(ends) {
            for number in *start..end {
                caller.set_srcloc(Inst::from_u32(number as u32), *location);
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
        if opcode != Opcode::Call {
            return InlineCommand::KeepCall;
        }
        match self.inlinable.get(caller, callee) {
            Some(small)
                if small.size <= self.budget
                    && (small.size <= MAX_BYTES || self.hot.contains(&call)) =>
            {
                self.budget -= small.size;
                let location = caller.srcloc(call);
                if !location.is_default() {
                    self.calls.push((caller.dfg.num_insts(), location));
                }
                InlineCommand::Inline {
                    callee: Cow::Borrowed(&small.function),
                    visit_callee: false,
                }
            }
            _ => InlineCommand::KeepCall,
        }
    }
}
