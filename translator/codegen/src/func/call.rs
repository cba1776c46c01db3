//! Calls: direct, through the table, and to the runtime.

use super::{Abi, Translator, adapter};
use crate::error::Result;
use crate::imports::Symbol;
use crate::libcall::Libcall;
use crate::names::{namespace, thunk};
use crate::target::Ordering;
use crate::trap::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag,
    FuncRef, InstBuilder, MemFlagsData, SigRef, Signature, Type as ClifType, Value,
};
use cranelift_codegen::isa::CallConv;
use linnet_abi::calls::{Type, type_of};
use linnet_abi::context;
use linnet_abi::frames::kind;
use linnet_abi::module::TableEntry;
use linnet_abi::trap::Trap;
use std::mem::{offset_of, size_of};
use wasmparser::{Operator, ValType};

#[derive(Clone, Copy)]
pub(crate) enum Callee {
    Direct(FuncRef),
    Indirect(SigRef, Value),
}

/// A handler as calls take it: what it catches, or nothing for any exception, and where it begins.
pub(super) type TaggedHandler = (Option<ExceptionTag>, Block);

/// A direct call that is to be written.
pub(super) struct Direct {
    pub callee: FuncRef,
    pub args: Vec<Value>,
    pub abi: Abi,
}

/// A table entry that an indirect call goes to; the call is to be written where the builder stands.
pub(super) struct Entry {
    pub address: Value,
    pub code: Value,
    pub args: Vec<Value>,
    /// Where the code comes to if the function has no result and the call is to give one.
    pub silent: Option<Block>,
}

/// Words of parameters that every instruction set passes in registers in the convention of tail calls.
const TAIL_CALL_REGISTERS: usize = 5;

impl Translator<'_, '_, '_, '_> {
    pub(super) fn call(&mut self, operator: &Operator) -> Result<bool> {
        if matches!(operator, Operator::Call { .. } | Operator::CallIndirect { .. }) {
            self.spill_pointers();
        }
        match operator {
            Operator::Call { function_index } => self.call_direct(*function_index)?,
            Operator::CallIndirect { type_index, table_index } => {
                self.environment().call_indirect(self, *type_index, *table_index)?;
                self.poll_behind_call(None)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn call_direct(&mut self, function: u32) -> Result<()> {
        if self.call_setjmp(function)? {
            return Ok(());
        }
        if let Some(reference) = self.environment().call_reference(self, function) {
            return self.call_by_reference(reference, self.module.functions[function as usize]);
        }
        let Some(Direct { callee, args, abi }) = self.direct(function)? else {
            self.barrier();
            return Ok(());
        };
        if self.is_capturable(function) {
            self.announce_capture_point(if abi == Abi::Runtime { kind::HOST } else { kind::CALL });
        }
        let results = self.call_function(callee, &args);
        self.stack.extend(results);
        self.poll_behind_call(Some(function))
    }

    /// If this is a function that does so.
    fn poll_behind_call(&mut self, callee: Option<u32>) -> Result<()> {
        if self.env.polls.behind_call(self.function, callee) { self.poll() } else { Ok(()) }
    }

    /// What a direct call calls; nothing if that is a barrier.
    pub(super) fn direct(&mut self, function: u32) -> Result<Option<Direct>> {
        let (space, index, abi) = match self.env.symbols.get(function as usize) {
            Some(Symbol::Barrier) => return Ok(None),
            Some(Symbol::CallHandler) => {
                (namespace::TRAMPOLINE, thunk::CALL_HANDLER, Abi::Internal)
            }
            Some(Symbol::Runtime(_)) => (namespace::FUNCTION, function, Abi::Runtime),
            None => (namespace::FUNCTION, function, Abi::Internal),
        };
        let ty = self.module.function_type(function);
        let signature = self.env.signature(ty, abi)?;
        let callee = self.function_ref(space, index, signature);
        let mut args = vec![self.context()];
        args.extend(self.pop_many(ty.params().len()));
        Ok(Some(Direct { callee, args, abi }))
    }

    /// A named ordering of the kernel. Processors with a total store order keep these by themselves:
    /// only the code generator must not reorder. For the others the code generator has no weaker
    /// instruction than a full fence.
    pub(super) fn barrier(&mut self) {
        match self.env.options.target.ordering() {
            Ordering::TotalStore => self.b.ins().sequence_point(),
            Ordering::Weak => self.b.ins().fence(),
        };
    }

    /// Calls an entry of the constant function table.
    pub(super) fn call_entry_of_type(&mut self, ty: u32) -> Result<()> {
        let Entry { address, code, args, silent } = self.checked_entry(ty)?;
        let call = self.signature_ref(ty)?;
        let handlers = self.tagged_handlers();
        let mut results = self.call_entry(code, call, &args, &handlers);
        if let Some(silent) = silent {
            let end = self.b.create_block();
            let values: Vec<BlockArg> = results.iter().map(|value| (*value).into()).collect();
            let types: Vec<_> = results.iter().map(|v| self.b.func.dfg.value_type(*v)).collect();
            self.b.ins().jump(end, &values);
            self.b.switch_to_block(silent);
            let zeros = self.call_silent_entry(address, call, &args, &handlers);
            let zeros: Vec<BlockArg> = zeros.into_iter().map(BlockArg::from).collect();
            self.b.ins().jump(end, &zeros);
            results = types.iter().map(|ty| self.b.append_block_param(end, *ty)).collect();
            self.b.seal_block(end);
            self.b.switch_to_block(end);
        }
        self.stack.extend(results);
        Ok(())
    }

    /// Finds the table entry that the operands of an indirect call name, and compares types.
    pub(super) fn checked_entry(&mut self, ty: u32) -> Result<Entry> {
        let index = self.pop();
        let mut args = vec![self.context()];
        args.extend(self.pop_many(self.module.types[ty as usize].params().len()));
        let (address, offset) = self.table_entry(index);
        let flags = self.constant_flags();
        let signature =
            self.b.ins().load(I32, flags, address, offset_of!(TableEntry, signature) as i32);
        let wanted = i64::from(self.module.signature(ty));
        let matches = self.b.ins().icmp_imm_u(IntCC::Equal, signature, wanted);
        let (good, bad) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(bad);
        self.b.ins().brif(matches, good, &[], bad, &[]);
        self.b.seal_block(bad);
        // A null entry has signature 0, so one comparison finds both mistakes.
        self.b.switch_to_block(bad);
        self.b.ins().trapz(signature, trap_code(Trap::NullReference));
        let [silent, late] = [(); 2].map(|()| self.handler_block());
        let (mut has_silent, mut has_late) = (false, false);
        for (other, gives_result) in self.compatible_types(ty) {
            let wanted = i64::from(self.module.signature(other));
            let matches = self.b.ins().icmp_imm_u(IntCC::Equal, signature, wanted);
            let (call, next) = (if gives_result { late } else { silent }, self.handler_block());
            has_silent |= !gives_result;
            has_late |= gives_result;
            self.b.ins().brif(matches, call, &[], next, &[]);
            self.b.seal_block(next);
            self.b.switch_to_block(next);
        }
        let call = adapter::are_in(self.env).then(|| self.b.create_block());
        if let Some(call) = call {
            self.b.append_block_param(call, I64);
            let adapter = self.adapter(ty, offset)?;
            self.b.ins().jump(call, &[adapter.into()]);
        } else {
            self.b.ins().trap(trap_code(Trap::BadSignature));
        }
        self.b.seal_block(late);
        if has_late {
            // What must be moved on the way is moved here, and not in the way of the good case.
            self.b.switch_to_block(late);
            self.b.ins().jump(good, &[]);
        }
        self.b.seal_block(good);
        self.b.seal_block(silent);
        self.b.switch_to_block(good);
        let mut code = self.entry_code(address);
        if let Some(call) = call {
            self.b.ins().jump(call, &[code.into()]);
            self.b.seal_block(call);
            self.b.switch_to_block(call);
            code = self.b.block_params(call)[0];
        }
        Ok(Entry { address, code, args, silent: has_silent.then_some(silent) })
    }

    /// The code that is called in place of an entry that has none of the types that `ty` may have.
    fn adapter(&mut self, ty: u32, offset: Value) -> Result<Value> {
        let flags = MemFlagsData::new().with_notrap().with_alias_region(Some(self.regions.context));
        let context = self.context();
        self.b.ins().store(flags, offset, context, context::offset::CALLEE);
        let number = thunk::caller_number(self.module.canonical[ty as usize]);
        let signature = self.env.signature(&self.module.types[ty as usize], Abi::Internal)?;
        let adapter = self.function_ref(namespace::TRAMPOLINE, number, signature);
        Ok(self.b.ins().func_addr(I64, adapter))
    }

    fn call_entry(
        &mut self,
        code: Value,
        signature: SigRef,
        args: &[Value],
        handlers: &[TaggedHandler],
    ) -> Vec<Value> {
        self.announce_capture_point(kind::CALL);
        self.emit_call_with(Callee::Indirect(signature, code), args, handlers)
    }

    fn entry_code(&mut self, entry: Value) -> Value {
        let flags = self.constant_flags();
        self.b.ins().load(I64, flags, entry, offset_of!(TableEntry, code) as i32)
    }

    /// Calls an entry that does not give the result of `signature`, and gives zero.
    pub(super) fn call_silent_entry(
        &mut self,
        entry: Value,
        signature: SigRef,
        args: &[Value],
        handlers: &[TaggedHandler],
    ) -> Vec<Value> {
        let types = self.returns_of(signature);
        let mut signature = self.b.func.dfg.signatures[signature].clone();
        signature.returns.clear();
        let signature = self.b.import_signature(signature);
        let code = self.entry_code(entry);
        self.call_entry(code, signature, args, handlers);
        // Not what the register happens to hold: that may be the host's.
        types.into_iter().map(|ty| self.zero(ty)).collect()
    }

    /// Types besides `ty` that a program's function may have which is called as one of type `ty`, and
    /// whether they give its result. C programs call functions with more arguments than these take,
    /// and functions without a result as if they had one. The calling convention of every instruction
    /// set allows it.
    ///
    /// With tail calls the called function removes the arguments on the stack, as many as it has: then that
    /// goes for types without any.
    fn compatible_types(&self, ty: u32) -> Vec<(u32, bool)> {
        let words = |ty: &ValType| if *ty == ValType::V128 { 2 } else { 1 };
        let words: usize = self.module.types[ty as usize].params().iter().map(words).sum();
        if !self.env.options.polls || (self.env.tail_calls && words > TAIL_CALL_REGISTERS) {
            return Vec::new();
        }
        self.module.compatible_types(ty)
    }

    /// Address of a table entry whose number is in bounds, and its offset in the table.
    fn table_entry(&mut self, index: Value) -> (Value, Value) {
        let len = self.module.table.len() as i64;
        let inside = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, index, len);
        self.b.ins().trapz(inside, trap_code(Trap::TableOutOfBounds));
        let table = self.table_address();
        let index = self.b.ins().uextend(I64, index);
        let offset = self.b.ins().imul_imm_u(index, size_of::<TableEntry>() as i64);
        (self.b.ins().iadd(table, offset), offset)
    }

    pub(super) fn call_function(&mut self, function: FuncRef, args: &[Value]) -> Vec<Value> {
        self.emit_call(Callee::Direct(function), args)
    }

    /// Calls the runtime. Host addresses and the context are already among `args`.
    pub(super) fn libcall(&mut self, libcall: Libcall, args: &[Value]) -> Option<Value> {
        let call = libcall.call();
        let clif = |ty: Type| if ty == Type::I32 { I32 } else { I64 };
        let mut signature = Signature::new(CallConv::SystemV);
        for (_, ty) in call.params {
            signature.params.push(self.env.param(clif(type_of(ty)), Abi::Runtime));
        }
        if let Some(result) = call.result_type() {
            signature.returns.push(AbiParam::new(clif(result)));
        }
        let function = self.function_ref(namespace::LIBCALL, libcall as u32, signature);
        self.environment().emit_libcall(self, Callee::Direct(function), args).first().copied()
    }

    /// Every call of the function goes through here. Where exceptions are caught it ends its block.
    pub(super) fn emit_call(&mut self, callee: Callee, args: &[Value]) -> Vec<Value> {
        self.environment().emit_call(self, callee, args)
    }

    /// In a module of Linux.
    pub(super) fn emit_call_with(
        &mut self,
        callee: Callee,
        args: &[Value],
        handlers: &[TaggedHandler],
    ) -> Vec<Value> {
        match self.take_announced() {
            Some(kind) => self.call_at_capture_point(kind, callee, args, handlers),
            None if handlers.is_empty() => self.plain_call(callee, args),
            None => self.try_call(callee, args, handlers, &[]),
        }
    }

    /// [`Translator::handlers`] as calls take them.
    pub(super) fn tagged_handlers(&self) -> Vec<TaggedHandler> {
        let handlers = self.handlers().into_iter();
        let mut handlers: Vec<_> =
            handlers.map(|(tag, block)| (tag.and_then(ExceptionTag::with_number), block)).collect();
        if let Some((tag, pad)) = self.wide_handler()
            && !handlers.is_empty()
            && handlers.iter().all(|h| h.0.is_some_and(|known| known != tag))
        {
            handlers.push((Some(tag), pad));
        }
        handlers
    }

    /// Types of what `callee` gives.
    pub(super) fn returns(&self, callee: Callee) -> Vec<ClifType> {
        self.returns_of(match callee {
            Callee::Direct(function) => self.b.func.dfg.ext_funcs[function].signature,
            Callee::Indirect(signature, _) => signature,
        })
    }

    fn returns_of(&self, signature: SigRef) -> Vec<ClifType> {
        self.b.func.dfg.signatures[signature].returns.iter().map(|r| r.value_type).collect()
    }

    /// A call that no exception of comes back to this function.
    pub(super) fn plain_call(&mut self, callee: Callee, args: &[Value]) -> Vec<Value> {
        let inst = match callee {
            Callee::Direct(function) => self.b.ins().call(function, args),
            Callee::Indirect(signature, code) => self.b.ins().call_indirect(signature, code, args),
        };
        self.b.inst_results(inst).to_vec()
    }

    /// A call with handlers. `pads` go to the handlers' blocks.
    pub(super) fn try_call(
        &mut self,
        callee: Callee,
        args: &[Value],
        handlers: &[TaggedHandler],
        pads: &[BlockArg],
    ) -> Vec<Value> {
        let next = self.b.create_block();
        for ty in self.returns(callee) {
            self.b.append_block_param(next, ty);
        }
        self.invoke(callee, args, next, handlers, pads, None);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.b.block_params(next).to_vec()
    }

    /// Ends the block with a call that goes on at `next`, whose parameters are the results. `capture`
    /// takes the first payload register.
    pub(super) fn invoke(
        &mut self,
        callee: Callee,
        args: &[Value],
        next: Block,
        handlers: &[TaggedHandler],
        pads: &[BlockArg],
        capture: Option<(ExceptionTag, Block)>,
    ) {
        let signature = match callee {
            Callee::Direct(function) => self.b.func.dfg.ext_funcs[function].signature,
            Callee::Indirect(signature, _) => signature,
        };
        let returns = self.b.func.dfg.signatures[signature].returns.len() as u32;
        let pool = &mut self.b.func.dfg.value_lists;
        let normal = BlockCall::new(next, (0..returns).map(BlockArg::TryCallRet), pool);
        let mut items: Vec<_> = handlers
            .iter()
            .map(|(tag, block)| {
                let block = BlockCall::new(*block, pads.iter().copied(), pool);
                match tag {
                    Some(tag) => ExceptionTableItem::Tag(*tag, block),
                    None => ExceptionTableItem::Default(block),
                }
            })
            .collect();
        if let Some((tag, pad)) = capture {
            let pad = BlockCall::new(pad, [BlockArg::TryCallExn(0)], pool);
            items.insert(0, ExceptionTableItem::Tag(tag, pad));
        }
        let table = self
            .b
            .func
            .dfg
            .exception_tables
            .push(ExceptionTableData::new(signature, normal, items));
        match callee {
            Callee::Direct(function) => self.b.ins().try_call(function, args, table),
            Callee::Indirect(_, code) => self.b.ins().try_call_indirect(code, args, table),
        };
    }
}
