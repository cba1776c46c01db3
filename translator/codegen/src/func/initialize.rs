//! The function that initialises an instance of a standalone module, once its imports are in place.

use super::{Env, Translator, Variant};
use crate::compile::{self, Code};
use crate::error::{Error, Result};
use crate::libcall::Libcall;
use crate::module::embedded::{Items, Run, Sections};
use crate::names::{Place, data, namespace, thunk};
use cranelift_codegen::Context;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Function, InstBuilder, MemFlagsData, Signature, UserFuncName, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use std::mem::{offset_of, size_of};
use wasmparser::{ConstExpr, Operator};

/// Compiles it.
pub(crate) fn compile(env: &Env, sections: &Sections) -> Result<Code> {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.push(AbiParam::new(I64));
    let mut context = Context::new();
    let name = UserFuncName::user(namespace::TRAMPOLINE, thunk::INITIALIZE);
    context.func = Function::with_name_signature(name, signature);
    let mut builders = FunctionBuilderContext::new();
    let builder = FunctionBuilder::new(&mut context.func, &mut builders);
    Translator::new(env, builder, u32::MAX, None, Variant::Call)?.initialize(sections)?;
    compile::compile_one(context, env.isa, env.options)
}

impl Translator<'_, '_, '_, '_> {
    fn initialize(mut self, sections: &Sections) -> Result<()> {
        for (i, global) in sections.globals.iter().enumerate() {
            if let Some(init) = &global.init {
                let value = self.constant_expression(init)?;
                self.push(value);
                self.global_set(i as u32);
            }
        }
        for (i, table) in sections.tables.iter().enumerate() {
            if let Some(init) = &table.init {
                let at = self.index_constant(0, table.ty.table64);
                self.push(at);
                let value = self.constant_expression(init)?;
                self.push(value);
                let count = self.index_constant(table.ty.initial, table.ty.table64);
                self.push(count);
                self.table_fill(i as u32);
            }
        }
        for segment in &sections.elements {
            if let Items::Values(first, values) = &segment.items {
                for (i, value) in values.iter().enumerate() {
                    let value = self.constant_expression(value)?;
                    self.set_element_value(first + i as u32, value);
                }
            }
        }
        for (i, segment) in sections.elements.iter().enumerate() {
            let Some((table, offset)) = &segment.active else { continue };
            let offset = self.constant_expression(offset)?;
            self.push_range(offset, segment.len() as u64);
            self.table_init(i as u32, *table);
            self.drop_elements(i as u32);
        }
        let mut runs = sections.runs().into_iter().peekable();
        let (mut next, mut place, mut byte) = (0, 0, 0);
        for (i, active) in sections.active_data.iter().enumerate() {
            let Some((memory, offset)) = active else { continue };
            if i < next {
                continue;
            }
            if let Some(run) = runs.next_if(|run| run.first_segment as usize == i) {
                next = run.segments().end;
                self.copy_segments(&run, place, byte);
                place += run.addresses.len();
                byte += run.segments().map(|i| self.module.segments[i].bytes.len()).sum::<usize>();
                continue;
            }
            let offset = self.constant_expression(offset)?;
            self.push_range(offset, self.module.segments[i].bytes.len() as u64);
            self.memory_init(i as u32, *memory);
            self.clear_segment(i as u32);
        }
        if let Some(start) = self.module.start {
            self.call(&Operator::Call { function_index: start })?;
        }
        self.b.ins().return_(&[]);
        self.b.seal_all_blocks();
        self.b.finalize(self.env.isa.frontend_config());
        Ok(())
    }

    /// Copies the segments of a run and drops them. Their bytes begin at `byte` among those that are copied so, and
    /// their addresses at `place`.
    fn copy_segments(&mut self, run: &Run, place: usize, byte: usize) {
        let places = self.data_address(data::PLACES);
        let place = self.b.ins().iadd_imm_u(places, (place * size_of::<Place>()) as i64);
        let len = run.addresses.len() * size_of::<Place>();
        let last = self.b.ins().iadd_imm_u(place, (len - size_of::<Place>()) as i64);
        let bytes = self.data_address(data::COPIED);
        let from = self.b.ins().iadd_imm_u(bytes, byte as i64);
        let context = self.context();
        let dropped = self.layout().data + 8 * run.first_segment;
        let dropped = self.b.ins().iadd_imm_u(context, i64::from(dropped));
        let (head, done) = (self.b.create_block(), self.b.create_block());
        self.b.ins().jump(head, &[place.into(), from.into(), dropped.into()]);
        self.b.switch_to_block(head);
        let [place, from, dropped] = [(); 3].map(|()| self.b.append_block_param(head, I64));
        let flags = MemFlagsData::trusted();
        let to = self.b.ins().load(I64, flags, place, offset_of!(Place, to) as i32);
        let len = self.b.ins().load(I64, flags, place, offset_of!(Place, len) as i32);
        self.check_range(run.memory, to, len);
        let base = self.memory_base(run.memory);
        let to = self.b.ins().iadd(base, to);
        self.libcall(Libcall::memory_copy, &[to, from, len]);
        let zero = self.b.ins().iconst(I64, 0);
        let instance = self.context_flags();
        self.b.ins().store(instance, zero, dropped, 0);
        let is_last = self.b.ins().icmp(IntCC::Equal, place, last);
        let place = self.b.ins().iadd_imm_u(place, size_of::<Place>() as i64);
        let from = self.b.ins().iadd(from, len);
        let dropped = self.b.ins().iadd_imm_u(dropped, 8);
        let again = [place.into(), from.into(), dropped.into()];
        self.b.ins().brif(is_last, done, &[], head, &again);
        self.b.switch_to_block(done);
    }

    /// Operands of `memory.init` or `table.init` of a whole segment.
    fn push_range(&mut self, to: Value, len: u64) {
        let from = self.b.ins().iconst(I32, 0);
        let len = self.b.ins().iconst(I32, len as i64);
        self.stack.extend([to, from, len]);
    }

    fn index_constant(&mut self, value: u64, is_64: bool) -> Value {
        self.b.ins().iconst(if is_64 { I64 } else { I32 }, value as i64)
    }

    fn constant_expression(&mut self, expr: &ConstExpr) -> Result<Value> {
        let mut operators = expr.get_operators_reader();
        loop {
            let (operator, offset) = operators.read_with_offset()?;
            if let Operator::End = operator {
                return Ok(self.pop());
            }
            let done = self.numeric(&operator)
                || self.variable(&operator)?
                || self.vector_const(&operator)
                || self.reference(&operator).map_err(|e| e.at(offset))?;
            if !done {
                let name = crate::error::operator_name(&operator);
                return Err(Error::garbage_collection(&name).at(offset));
            }
        }
    }

    fn vector_const(&mut self, operator: &Operator) -> bool {
        let Operator::V128Const { value } = operator else { return false };
        let value = self.vector_constant(*value.bytes());
        self.push(value);
        true
    }
}
