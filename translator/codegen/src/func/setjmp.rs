//! Functions that `setjmp` returns to.
//!
//! clang leaves calls of `setjmp` as they are, and lets a `longjmp` throw. A signal handler may do so
//! anywhere: out of a load that faults, a division, the poll of an endless loop. So these functions have
//! a landing pad for all of their code. It asks whether the exception is a `longjmp` to this very
//! activation of the function, and if so goes on behind that call of `setjmp`; if not it raises it again.
//!
//! Since any instruction can lead to the pad, it finds nothing in registers. The context is found from the
//! stack pointer, as it is behind all calls ([`crate::passes`]). What else is needed lies in stack slots: for each call of `setjmp` the locals and operands that are needed behind it, as
//! they were when it was called. C allows no more: a local that has changed since is indeterminate unless
//! it is volatile, and then it is in linear memory. Nothing is saved at other calls, and they have no
//! handlers for it: a function pays for `setjmp` where it calls it.
//!
//! The code generator knows of exceptions from calls only. The pad hangs at a call in a block that the
//! function seems to reach at its very beginning. Nothing but the entry dominates the pad then, and no
//! value computed elsewhere is taken to be known in it.

use super::call::Callee;
use super::control::block_args;
use super::{Abi, Translator, import_function};
use crate::error::{Error, Result};
use crate::frames::live;
use crate::libcall::Libcall;
use crate::module::{Body, Module};
use crate::names::{WIDE, WIDE_BEGIN, namespace};
use cranelift_codegen::FxHashMap;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockCall, ExceptionTag, InstBuilder, JumpTableData, Signature, SourceLoc,
    StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::Variable;
use linnet_abi::trap::Trap;
use wasmparser::{FuncType, FuncValidatorAllocations, Operator, OperatorsReader, ValType};

/// What `setjmp` is made of, by wasm indices. `sysroot/musl/src/setjmp` has the functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Functions {
    /// `setjmp(env)`, whose calls are translated to calls of the others.
    pub setjmp: u32,
    /// `__wasm_setjmp(env, activation, call) -> activation`.
    pub begin: u32,
    /// `__wasm_setjmp_test(env, activation)`: what `setjmp` returns above the number of the call, or 0.
    pub test: u32,
    /// What `longjmp` throws, with `env`.
    tag: u32,
    /// The end of the stack in memory.
    stack_pointer: u32,
}

impl Functions {
    /// Those of a module that has them.
    pub(crate) fn find(module: &Module) -> Option<Functions> {
        use ValType::{I32, I64};
        let find = |name, params: &[ValType], results: &[ValType]| {
            let index = module.defined_function(name)?;
            (*module.function_type(index) == FuncType::new(params.to_vec(), results.to_vec()))
                .then_some(index)
        };
        let tag = module.exported_tag("__c_longjmp")?;
        let takes_word = module.types[module.tags[tag as usize] as usize].params() == [I32];
        let stack_pointer = module.find_global("__stack_pointer")?;
        let is_word = module.globals[stack_pointer as usize].ty == I32;
        (takes_word && is_word && module.find_slot("__stack_pointer").is_some()).then_some(())?;
        Some(Functions {
            setjmp: find("setjmp", &[I32], &[I32])?,
            begin: find("__wasm_setjmp", &[I32, I64, I32], &[I64])?,
            test: find("__wasm_setjmp_test", &[I32, I64], &[I64])?,
            tag,
            stack_pointer,
        })
    }
}

/// Values that the calls of `setjmp` in one function may save.
const MAX_SAVED: usize = 1 << 14;

/// State of the translation of such a function.
pub(super) struct ReturnPoint {
    functions: Functions,
    pad: Block,
    /// Raises the exception in the context again.
    raise: Block,
    /// Number of this activation of the function; 0 before its first call of `setjmp`.
    activation: StackSlot,
    /// The calls of `setjmp`, by the offsets of their operators.
    calls: FxHashMap<u64, Call>,
    /// Those that have been translated, with the blocks behind them.
    done: Vec<(Call, Block)>,
}

/// A value as it was at a call of `setjmp`.
#[derive(Clone, Copy)]
struct Saved {
    ty: Type,
    slot: StackSlot,
}

struct Call {
    stack_pointer: Saved,
    /// Operands below the one of `setjmp`.
    operands: Vec<Saved>,
    locals: Vec<(u32, Saved)>,
    /// Exceptions of open clauses.
    caught: Vec<(Variable, Saved)>,
}

/// What stands where `setjmp` is called.
struct Found {
    offset: u64,
    operands: Vec<ValType>,
}

impl Translator<'_, '_, '_, '_> {
    /// Begins a function that `setjmp` returns to, if this is one.
    pub(super) fn find_return_point(&mut self, body: &Body) -> Result<()> {
        let Some(functions) = self.env.setjmp else { return Ok(()) };
        if !calls(body, functions.setjmp) {
            return Ok(());
        }
        // Whatever is wrong here is said when the operator is translated.
        let Ok((found, types)) = find_calls(body, functions.setjmp) else { return Ok(()) };
        let wanted: Vec<u64> = found.iter().map(|f| f.offset).collect();
        let live = live::find(&body.body, types.len(), Some(&wanted));
        self.begin_return_point(functions);
        let mut saved = 0;
        for Found { offset, operands } in found {
            let all = || (0..types.len() as u32).collect();
            let locals = live.get(&offset).cloned().unwrap_or_else(all);
            saved += 1 + operands.len() + locals.len();
            if saved > MAX_SAVED {
                let message = format!(
                    "more than {MAX_SAVED} locals and operands around calls of setjmp are not supported"
                );
                return Err(Error::new(message).at(offset));
            }
            let stack_pointer = self.saved(I32);
            let operands = self.env.clif_types(&operands)?;
            let operands = operands.into_iter().map(|ty| self.saved(ty)).collect();
            let mut call = Call { stack_pointer, operands, locals: Vec::new(), caught: Vec::new() };
            for local in locals {
                let ty = self.env.clif_type(types[local as usize])?;
                call.locals.push((local, self.saved(ty)));
            }
            if let Some(point) = &mut self.return_point {
                point.calls.insert(offset, call);
            }
        }
        Ok(())
    }

    /// Ends the entry block.
    fn begin_return_point(&mut self, functions: Functions) {
        let [body, raise, pad] = [(); 3].map(|()| self.b.create_block());
        self.b.set_cold_block(raise);
        self.b.set_cold_block(pad);
        // A context is never null.
        self.b.ins().brif(self.context, body, &[], raise, &[]);
        self.b.seal_block(body);
        self.b.switch_to_block(body);
        let activation = self.slot(8);
        let zero = self.b.ins().iconst(I64, 0);
        self.b.ins().stack_store(I64, zero, activation, 0);
        // The table of call sites tells from it where the pad begins to be usable.
        self.b.set_srcloc(SourceLoc::new(WIDE_BEGIN));
        let (calls, done) = (FxHashMap::default(), Vec::new());
        self.return_point = Some(ReturnPoint { functions, pad, raise, activation, calls, done });
    }

    fn slot(&mut self, size: u32) -> StackSlot {
        let align_shift = size.ilog2() as u8;
        self.b.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            size,
            align_shift,
        ))
    }

    fn saved(&mut self, ty: Type) -> Saved {
        Saved { ty, slot: self.slot(ty.bytes().max(8)) }
    }

    /// The pad as a handler of calls that have other handlers.
    pub(super) fn wide_handler(&self) -> Option<(ExceptionTag, Block)> {
        let point = self.return_point.as_ref()?;
        Some((ExceptionTag::with_number(point.functions.tag)?, point.pad))
    }

    /// Calls `setjmp`, if that is what `function` is.
    pub(super) fn call_setjmp(&mut self, function: u32) -> Result<bool> {
        let Some(point) = &mut self.return_point else { return Ok(false) };
        let (functions, slot) = (point.functions, point.activation);
        if functions.setjmp != function {
            return Ok(false);
        }
        let Some(mut call) = point.calls.remove(&self.offset) else { return Ok(false) };
        let number = point.done.len() as i64 + 1;
        let env = self.pop();
        self.save(&mut call, functions.stack_pointer)?;
        let activation = self.b.ins().stack_load(I64, I64, slot, 0);
        let number = self.b.ins().iconst(I32, number);
        let signature =
            self.env.signature(self.module.function_type(functions.begin), Abi::Internal)?;
        let begin = self.function_ref(namespace::FUNCTION, functions.begin, signature);
        let context = self.context();
        let args = [context, env, activation, number];
        let activation = self.plain_call(Callee::Direct(begin), &args)[0];
        self.b.ins().sequence_point();
        self.b.ins().stack_store(I64, activation, slot, 0);
        let next = self.b.create_block();
        let zero = self.b.ins().iconst(I32, 0);
        self.push(zero);
        self.b.ins().jump(next, &block_args(&self.stack));
        self.b.switch_to_block(next);
        for value in &mut self.stack {
            let ty = self.b.func.dfg.value_type(*value);
            *value = self.b.append_block_param(next, ty);
        }
        if let Some(point) = &mut self.return_point {
            point.done.push((call, next));
        }
        self.unsettle();
        // A `longjmp` comes back to here: this is the head of a loop.
        self.poll()?;
        Ok(true)
    }

    fn save(&mut self, call: &mut Call, stack_pointer: u32) -> Result<()> {
        for variable in self.caught_variables().collect::<Vec<_>>() {
            let value = self.b.use_var(variable);
            let saved = self.saved(self.b.func.dfg.value_type(value));
            call.caught.push((variable, saved));
            self.save_value(value, saved);
        }
        for (value, saved) in self.stack.clone().into_iter().zip(&call.operands) {
            self.save_value(value, *saved);
        }
        for (local, saved) in &call.locals {
            let value = self.get_local(*local);
            self.save_value(value, *saved);
        }
        self.global_get(stack_pointer)?;
        let value = self.pop();
        self.save_value(value, call.stack_pointer);
        Ok(())
    }

    fn save_value(&mut self, value: Value, saved: Saved) {
        self.b.ins().sequence_point();
        self.b.ins().stack_store(I64, value, saved.slot, 0);
    }

    fn load_saved(&mut self, saved: Saved) -> Value {
        self.b.ins().stack_load(I64, saved.ty, saved.slot, 0)
    }

    /// Puts something into the slots early: who captures frames reads them.
    pub(super) fn init_return_slots(&mut self) {
        for (slot, _, ty) in self.return_slots().into_iter().skip(1) {
            let zero = self.zero(ty);
            self.b.ins().stack_store(I64, zero, slot, 0);
        }
    }

    /// What the pad needs: slots, offsets in them, types.
    pub(super) fn return_slots(&self) -> Vec<(StackSlot, i32, Type)> {
        let Some(point) = &self.return_point else { return Vec::new() };
        let mut slots: Vec<_> = point
            .calls
            .values()
            .chain(point.done.iter().map(|d| &d.0))
            .flat_map(Call::slots)
            .collect();
        // In the order in which they were made.
        slots.sort_unstable_by_key(|saved| saved.slot);
        let saved = slots.into_iter().map(|saved| (saved.slot, 0, saved.ty));
        [(point.activation, 0, I64)].into_iter().chain(saved).collect()
    }

    /// Writes the pad, when everything else is there.
    pub(super) fn end_return_point(&mut self) -> Result<()> {
        let Some(point) = &mut self.return_point else { return Ok(()) };
        let ReturnPoint { functions, pad, raise, activation, .. } = *point;
        let done = std::mem::take(&mut point.done);
        self.write_raise(functions.tag, pad, raise);
        self.b.switch_to_block(pad);
        self.b.ins().sequence_point();
        let caught = self.take_exception(Some(functions.tag))?;
        let activation = self.b.ins().stack_load(I64, I64, activation, 0);
        let signature =
            self.env.signature(self.module.function_type(functions.test), Abi::Internal)?;
        let test = self.function_ref(namespace::FUNCTION, functions.test, signature);
        let context = self.context();
        let args = [context, caught.payload[0], activation];
        let result = self.plain_call(Callee::Direct(test), &args)[0];
        // Another exception may have come and gone meanwhile.
        self.put_exception(&caught);
        let number = self.b.ins().ireduce(I32, result);
        let value = self.b.ins().ushr_imm_u(result, 32);
        let value = self.b.ins().ireduce(I32, value);
        let blocks: Vec<_> = done.iter().map(|_| self.handler_block()).collect();
        let pool = &mut self.b.func.dfg.value_lists;
        let otherwise = BlockCall::new(raise, [], pool);
        let targets = [raise].into_iter().chain(blocks.iter().copied());
        let targets: Vec<_> = targets.map(|block| BlockCall::new(block, [], pool)).collect();
        let table = self.b.create_jump_table(JumpTableData::new(otherwise, &targets));
        self.b.ins().br_table(number, table);
        for ((call, next), block) in done.into_iter().zip(blocks) {
            self.b.seal_block(block);
            self.b.switch_to_block(block);
            self.restore_call(&call, functions.stack_pointer, value, next);
        }
        Ok(())
    }

    /// Goes on at `next`, behind a call of `setjmp`.
    fn restore_call(&mut self, call: &Call, stack_pointer: u32, result: Value, next: Block) {
        for (variable, saved) in &call.caught {
            let value = self.load_saved(*saved);
            self.b.def_var(*variable, value);
        }
        for (local, saved) in &call.locals {
            let value = self.load_saved(*saved);
            self.set_local(*local, value);
        }
        let value = self.load_saved(call.stack_pointer);
        self.push(value);
        self.global_set(stack_pointer);
        let operands = call.operands.iter().map(|saved| self.load_saved(*saved));
        let mut args: Vec<_> = operands.collect();
        args.push(result);
        self.b.ins().jump(next, &block_args(&args));
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
}

impl Call {
    fn slots(&self) -> impl Iterator<Item = Saved> + '_ {
        let variables = self.locals.iter().map(|l| l.1).chain(self.caught.iter().map(|c| c.1));
        std::iter::once(self.stack_pointer).chain(self.operands.iter().copied()).chain(variables)
    }
}

/// Whether a body calls `function`.
fn calls(body: &Body, function: u32) -> bool {
    let Ok(operators) = body.body.get_operators_reader() else { return false };
    operators.into_iter().map_while(std::result::Result::ok).any(
        |operator| matches!(operator, Operator::Call { function_index } if function_index == function),
    )
}

/// Where a body calls `setjmp`, with the operands there, and the types of its locals.
fn find_calls(body: &Body, setjmp: u32) -> Result<(Vec<Found>, Vec<ValType>)> {
    let mut validator = body.validator(FuncValidatorAllocations::default());
    let mut reader = body.body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let types = (0..validator.len_locals()).map_while(|i| validator.get_local_type(i)).collect();
    let mut found = Vec::new();
    let mut operators = OperatorsReader::new(reader);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        if matches!(operator, Operator::Call { function_index } if function_index == setjmp) {
            let below = 1..validator.operand_stack_height() as usize;
            // In code that can't be reached some have no type.
            let operands: Option<_> =
                below.rev().map(|depth| validator.get_operand_type(depth).flatten()).collect();
            found.extend(operands.map(|operands| Found { offset, operands }));
        }
        validator.op(offset, &operator)?;
    }
    Ok((found, types))
}
