//! Functions that `setjmp` returns to.
//!
//! clang lowers `setjmp` to a call of `__wasm_setjmp` and a `try` around the calls that come after it.
//! (legacy, or a `try_table` where the encoding with `exnref` is asked for). Its clause asks `__wasm_setjmp_test` whether the exception is a `longjmp` to this very call of the
//! function, and if so goes on behind the `setjmp`. That is enough as long as only calls throw. A signal
//! handler may throw anywhere: out of a load that faults, a division, the poll of an endless loop. LLVM
//! leaves such code out of the `try`, and a native load could not have a handler anyhow.
//!
//! So these functions have a landing pad for all the code without a handler of its own. Since any
//! instruction can lead there, it finds nothing in registers. What it needs lies in stack slots: the
//! context, and the locals that the clause needs as they were when `setjmp` returned. C allows no more: a local that has changed
//! since is indeterminate unless it is volatile, and then it is in linear memory. Later values would even
//! be wrong, because LLVM uses a local again once no call behind needs it.
//!
//! The code generator knows of exceptions from calls only. The pad hangs at a call in a block that the
//! function seems to reach at its very beginning. Nothing but the entry dominates the pad then, and no
//! value computed elsewhere is taken to be known in it.

use super::call::Callee;
use super::exception::{Clauses, Handlers};
use super::{Border, Translator, import_function};
use crate::compile::{WIDE, WIDE_BEGIN, namespace};
use crate::error::Result;
use crate::frames::live;
use crate::libcall::Libcall;
use crate::module::Module;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, ExceptionTag, InstBuilder, Signature, SourceLoc, StackSlot, StackSlotData,
    StackSlotKind, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::Variable;
use linnet_abi::context::offset;
use linnet_abi::trap::Trap;
use wasmparser::{FuncType, FunctionBody, Operator, ValType};

/// The functions that clang's lowering calls, by their wasm indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Functions {
    /// `__wasm_setjmp(env, label, invocation)`.
    pub setjmp: u32,
    /// `__wasm_setjmp_test(env, invocation) -> label`.
    pub test: u32,
    /// What `sigsetjmp` calls when it has returned, be it from itself or from `siglongjmp`.
    pub returned: Option<u32>,
    /// The tag that `__wasm_longjmp` throws.
    pub tag: Option<u32>,
}

impl Functions {
    /// Those of a module that has them.
    pub(crate) fn find(module: &Module) -> Option<Functions> {
        let find = |name, params: &[ValType], results: &[ValType]| {
            let index = module.defined_function(name)?;
            (*module.function_type(index) == FuncType::new(params.to_vec(), results.to_vec()))
                .then_some(index)
        };
        Some(Functions {
            setjmp: find("__wasm_setjmp", &[ValType::I32; 3], &[])?,
            test: find("__wasm_setjmp_test", &[ValType::I32; 2], &[ValType::I32])?,
            returned: find("__sigsetjmp_ret", &[ValType::I32; 2], &[ValType::I32]),
            tag: find("__wasm_longjmp", &[ValType::I32; 2], &[])
                .and_then(|index| thrown(module, index)),
        })
    }
}

/// The tag of the first `throw` of a function.
fn thrown(module: &Module, function: u32) -> Option<u32> {
    let body = &module.bodies[(function - module.imported()) as usize].body;
    let mut operators = body.get_operators_reader().ok()?;
    while let Ok(operator) = operators.read() {
        if let Operator::Throw { tag_index } = operator {
            return Some(tag_index);
        }
        if operators.eof() {
            break;
        }
    }
    None
}

/// Locals that a function may have for its pad to exist. C functions have some dozens.
const MAX_LOCALS: usize = 1000;

/// Offsets in the slot of the pad's own state.
const CONTEXT: i32 = 0;
/// Third argument of the last `__wasm_setjmp`; 0 before the first.
const INVOCATION: i32 = 8;

/// State of the translation of such a function.
pub(super) struct ReturnPoint {
    /// Index of the tag that `longjmp` throws.
    tag: u32,
    /// In these functions the context and the heap base are no single values: the pad loads them anew.
    context: Variable,
    heap_base: Variable,
    pad: Block,
    /// Raises the exception in the context again.
    raise: Block,
    state: StackSlot,
    /// Locals that are live where the clause begins.
    needed: Vec<usize>,
    /// Once they have slots.
    locals: Vec<Local>,
    /// The clause that the pad goes on at.
    clause: Option<Block>,
    /// Whether no call of the `try` has saved the locals.
    unsaved: bool,
}

struct Local {
    ty: Type,
    slot: StackSlot,
}

impl Translator<'_, '_, '_, '_> {
    /// Begins a function that `setjmp` returns to, if this is one.
    pub(super) fn find_return_point(&mut self, body: &FunctionBody) -> Result<()> {
        if self.env.setjmp.is_none() {
            return Ok(());
        }
        // Nothing is validated yet: whatever is wrong here, the validator says it better.
        let Ok(clauses) = Clauses::scan(body, self.env.setjmp) else { return Ok(()) };
        let declared = body.get_locals_reader()?.into_iter().map_while(std::result::Result::ok);
        let count = declared
            .fold(self.module.function_type(self.function).params().len(), |n, (count, _)| {
                n.saturating_add(count as usize)
            });
        let module = self.module;
        let takes_word = |tag: &u32| {
            let ty = module.tags.get(*tag as usize);
            ty.is_some_and(|ty| module.types[*ty as usize].params() == [ValType::I32])
        };
        if let Some(tag) = clauses.longjmp_tag.filter(takes_word)
            && count <= MAX_LOCALS
        {
            let live = live::at_clauses(body, count, tag);
            let needed = (0..count).filter(|i| live.as_ref().is_none_or(|live| live[*i])).collect();
            self.begin_return_point(tag, needed);
        }
        self.clauses = Some(clauses);
        Ok(())
    }

    /// Ends the entry block of a function whose `longjmp` clause takes `tag`.
    fn begin_return_point(&mut self, tag: u32, needed: Vec<usize>) {
        let (context, heap_base) = (self.b.declare_var(I64), self.b.declare_var(I64));
        self.b.def_var(context, self.entry_context);
        let [body, raise, pad] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(raise);
        self.b.set_cold_block(pad);
        // A context is never null.
        self.b.ins().brif(self.entry_context, body, &[], raise, &[]);
        self.b.seal_block(body);
        self.b.switch_to_block(body);
        let state = self.slot(16);
        self.b.ins().stack_store(I64, self.entry_context, state, CONTEXT);
        let zero = self.b.ins().iconst(I32, 0);
        self.b.ins().stack_store(I64, zero, state, INVOCATION);
        // The table of call sites tells from it where the pad begins to be usable.
        self.b.set_srcloc(SourceLoc::new(WIDE_BEGIN));
        let loaded = self.load_heap_base(self.entry_context);
        self.b.def_var(heap_base, loaded);
        let (locals, clause, unsaved) = (Vec::new(), None, false);
        self.return_point = Some(ReturnPoint {
            tag,
            context,
            heap_base,
            pad,
            raise,
            state,
            needed,
            locals,
            clause,
            unsaved,
        });
    }

    fn slot(&mut self, size: u32) -> StackSlot {
        let align_shift = size.ilog2() as u8;
        self.b.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            size,
            align_shift,
        ))
    }

    pub(super) fn context(&mut self) -> Value {
        match &self.return_point {
            None => self.entry_context,
            Some(point) => self.b.use_var(point.context),
        }
    }

    pub(super) fn heap_base(&mut self) -> Value {
        match &self.return_point {
            None => self.entry_heap_base,
            Some(point) => self.b.use_var(point.heap_base),
        }
    }

    /// Whether a `try_table` with these clauses is where `longjmp` arrives: the first of its tag.
    pub(super) fn takes_longjmp(&self, handlers: &Handlers) -> bool {
        let point = self.return_point.as_ref().filter(|point| point.clause.is_none());
        point.is_some_and(|point| handlers.iter().any(|h| h.0 == Some(point.tag)))
    }

    /// Notes the clause of a `try` that was begun just now.
    pub(super) fn note_clause(&mut self, handlers: &Handlers) {
        // What lies on the operand stack, or was caught outside, is not saved.
        let alone = self.top().height == 0 && self.frames.iter().all(|f| !f.has_caught());
        if let Some(point) = &mut self.return_point
            && alone
        {
            point.unsaved = true;
            point.clause = handlers.iter().find(|h| h.0 == Some(point.tag)).map(|h| h.1);
        }
    }

    /// Whether the pad jumps to `block`, too.
    pub(super) fn is_clause(&self, block: Block) -> bool {
        self.return_point.as_ref().is_some_and(|p| p.clause == Some(block))
    }

    /// Saves what the pad needs before a call of `function`, if that has to do with `setjmp`.
    pub(super) fn save_at(&mut self, function: u32, args: &[Value]) {
        let (Some(point), Some(functions)) = (&self.return_point, self.env.setjmp) else { return };
        let state = point.state;
        if functions.setjmp == function {
            self.b.ins().sequence_point();
            self.b.ins().stack_store(I64, args[3], state, INVOCATION);
            self.save_locals();
        } else if functions.returned == Some(function) {
            self.save_locals();
        }
    }

    /// Saves the locals before the first call of the `try`: LLVM may set some of those that its clause
    /// needs as late as that.
    pub(super) fn save_at_first_call(&mut self) {
        if self.return_point.as_ref().is_some_and(|p| p.unsaved) {
            self.save_locals();
        }
    }

    /// Makes the slots of the locals.
    fn make_slots(&mut self, point: &mut ReturnPoint) {
        for i in point.locals.len()..point.needed.len() {
            let value = self.b.use_var(self.locals[point.needed[i]]);
            let ty = self.b.func.dfg.value_type(value);
            let slot = self.slot(ty.bytes().max(8));
            point.locals.push(Local { ty, slot });
        }
    }

    /// The same early, with something in them: who captures frames reads them.
    pub(super) fn init_return_slots(&mut self) {
        let Some(mut point) = self.return_point.take() else { return };
        self.make_slots(&mut point);
        for local in &point.locals {
            let zero = self.zero(local.ty);
            self.b.ins().stack_store(I64, zero, local.slot, 0);
        }
        self.return_point = Some(point);
    }

    /// What the pad needs besides the context: slots, offsets in them, types.
    pub(super) fn return_slots(&self) -> Vec<(StackSlot, i32, Type)> {
        let Some(point) = &self.return_point else { return Vec::new() };
        let locals = point.locals.iter().map(|l| (l.slot, 0, l.ty));
        [(point.state, INVOCATION, I32)].into_iter().chain(locals).collect()
    }

    fn save_locals(&mut self) {
        let Some(mut point) = self.return_point.take() else { return };
        self.make_slots(&mut point);
        for (i, local) in point.needed.iter().zip(&point.locals) {
            let value = self.b.use_var(self.locals[*i]);
            self.b.ins().sequence_point();
            self.b.ins().stack_store(I64, value, local.slot, 0);
        }
        point.unsaved = false;
        self.return_point = Some(point);
    }

    /// Writes the pad, when everything else is there.
    pub(super) fn end_return_point(&mut self) -> Result<()> {
        let (Some(point), Some(functions)) = (&self.return_point, self.env.setjmp) else {
            return Ok(());
        };
        let ReturnPoint { tag, context, heap_base, pad, raise, state, clause, .. } = *point;
        self.write_raise(tag, pad, raise);
        self.b.switch_to_block(pad);
        self.b.ins().sequence_point();
        let loaded = self.b.ins().stack_load(I64, I64, state, CONTEXT);
        self.b.def_var(context, loaded);
        let loaded = self.load_heap_base(loaded);
        self.b.def_var(heap_base, loaded);
        let Some(clause) = clause else {
            self.b.ins().jump(raise, &[]);
            return Ok(());
        };
        let caught = self.take_exception(Some(tag))?;
        // What is thrown points to the `env` of `longjmp`.
        let thrown = self.heap_address(caught.payload[0]);
        let flags = self.heap_flags();
        let env = self.b.ins().load(I32, flags, thrown, 0);
        let invocation = self.b.ins().stack_load(I64, I32, state, INVOCATION);
        let signature =
            self.env.signature(self.module.function_type(functions.test), Border::Inner)?;
        let test = self.function_ref(namespace::FUNCTION, functions.test, signature);
        let context = self.context();
        let ours = self.call_function(test, &[context, env, invocation])[0];
        // Another exception may have come and gone meanwhile.
        self.put_exception(&caught);
        let restore = self.b.create_block();
        self.b.set_cold_block(restore);
        self.b.ins().brif(ours, restore, &[], raise, &[]);
        self.b.switch_to_block(restore);
        if let Some(point) = &self.return_point {
            for (i, Local { ty, slot }) in point.needed.iter().zip(&point.locals) {
                let value = self.b.ins().stack_load(I64, *ty, *slot, 0);
                self.b.def_var(self.locals[*i], value);
            }
        }
        self.b.ins().jump(clause, &[]);
        Ok(())
    }

    /// Raises the exception in the context again, for the function's caller. This call's landing pad
    /// becomes that of all the code without one.
    fn write_raise(&mut self, tag: u32, pad: Block, raise: Block) {
        self.b.switch_to_block(raise);
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.push(AbiParam::new(I64));
        let throw =
            import_function(self.b.func, namespace::LIBCALL, Libcall::throw as u32, signature);
        let context = self.context();
        let handlers = [(ExceptionTag::with_number(tag | WIDE), pad)];
        self.try_call(Callee::Direct(throw), &[context], &handlers, &[]);
        self.trap(Trap::Unreachable);
    }

    pub(super) fn load_heap_base(&mut self, context: Value) -> Value {
        let flags = self.constant_flags();
        self.b.ins().load(I64, flags, context, offset::HEAP_BASE)
    }
}
