//! Operators on references and tables, and calls that need them. Modules of Linux have references to
//! exceptions only; the rest is standalone modules'.

use super::Translator;
use super::call::Callee;
use crate::error::{Error, Result};
use crate::libcall::Libcall;
use crate::trap::trap_number;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use linnet_abi::instance::{MoreTrap, offset};
use wasmparser::{Operator, RefType, ValType};

impl Translator<'_, '_, '_, '_> {
    pub(super) fn reference(&mut self, operator: &Operator) -> Result<bool> {
        match operator {
            Operator::RefNull { hty } => {
                let ty = RefType::new(true, *hty);
                let ty = ty.ok_or_else(|| Error::unsupported("reference types"))?;
                self.env.clif_type(ValType::Ref(ty))?;
                let null = self.b.ins().iconst(I64, 0);
                self.push(null);
            }
            Operator::RefIsNull => {
                let reference = self.pop();
                let is_null = self.b.ins().icmp_imm_u(IntCC::Equal, reference, 0);
                let is_null = self.b.ins().uextend(I32, is_null);
                self.push(is_null);
            }
            operator => return self.environment().reference(self, operator),
        }
        Ok(true)
    }

    pub(super) fn trap_if_null(&mut self, reference: Value) {
        self.b.ins().trapz(reference, trap_number(MoreTrap::NullReference as u8));
    }

    pub(super) fn table_grow(&mut self, table: u32) {
        let count = self.pop();
        let value = self.pop();
        let count = self.wide(count);
        let is_64 = self.is_table64(table);
        let number = self.b.ins().iconst(I32, i64::from(table));
        let context = self.context();
        let old = self.libcall(Libcall::instance_table_grow, &[context, number, value, count]);
        if let Some(old) = old {
            let old = self.index_value(old, is_64);
            self.push(old);
        }
    }

    pub(super) fn table_fill(&mut self, table: u32) {
        let count = self.pop();
        let value = self.pop();
        let at = self.pop();
        let (at, count) = (self.wide(at), self.wide(count));
        let number = self.b.ins().iconst(I32, i64::from(table));
        self.bulk(Libcall::instance_table_fill, &[number, at, value, count]);
    }

    pub(super) fn table_copy(&mut self, target: u32, source: u32) {
        let [count, from, to] = [(); 3].map(|()| self.pop());
        let [count, from, to] = [count, from, to].map(|value| self.wide(value));
        let [target, source] = [target, source].map(|n| self.b.ins().iconst(I32, i64::from(n)));
        self.bulk(Libcall::instance_table_copy, &[target, source, to, from, count]);
    }

    pub(super) fn table_init(&mut self, segment: u32, table: u32) {
        let [count, from, to] = [(); 3].map(|()| self.pop());
        let [count, from, to] = [count, from, to].map(|value| self.wide(value));
        let [table, segment] = [table, segment].map(|n| self.b.ins().iconst(I32, i64::from(n)));
        self.bulk(Libcall::instance_table_init, &[table, segment, to, from, count]);
    }

    fn bulk(&mut self, libcall: Libcall, args: &[Value]) {
        let args: Vec<Value> = [self.context()].into_iter().chain(args.iter().copied()).collect();
        if let Some(outside) = self.libcall(libcall, &args) {
            self.b.ins().trapnz(outside, trap_number(MoreTrap::TableAccess as u8));
        }
    }

    /// Arguments of a call by reference; the callee's context comes first.
    pub(super) fn reference_args(&mut self, reference: Value, ty: u32) -> Vec<Value> {
        let operands = self.pop_many(self.module.types[ty as usize].params().len());
        let mut args = vec![self.reference_field(reference, offset::FUNC_CONTEXT, I64)];
        args.extend(operands);
        args
    }

    /// Calls what a reference of type `ty`, not null, refers to.
    pub(super) fn call_by_reference(&mut self, reference: Value, ty: u32) -> Result<()> {
        let signature = self.cross_module_signature(ty)?;
        let args = self.reference_args(reference, ty);
        let code = self.reference_field(reference, offset::FUNC_CODE, I64);
        let results = self.emit_call(Callee::Indirect(signature, code), &args);
        self.stack.extend(results);
        Ok(())
    }
}
