//! What functions of standalone modules find in their instance: see `linnet_abi::instance`.

use super::{Abi, Translator};
use crate::error::Result;
use crate::module::embedded::Sections;
use crate::names::data;
use crate::trap::{trap_code, trap_number};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, SigRef, TrapCode, Type, Value};
use linnet_abi::instance::{self, FuncRef, Layout, MemorySlot, MoreTrap, offset};
use linnet_abi::trap::Trap;
use std::mem::size_of;

impl<'m, 'a> Translator<'_, 'm, 'a, '_> {
    /// Only operators of standalone modules ask.
    pub(super) fn sections(&self) -> &'m Sections<'a> {
        self.module.standalone.as_ref().expect("validated: a standalone module's operator")
    }

    pub(super) fn layout(&self) -> &'m Layout {
        self.sections().layout()
    }

    /// Loads a word of the instance that never changes.
    fn load_fixed(&mut self, offset: u32) -> Value {
        let (flags, context) = (self.constant_flags(), self.context());
        self.b.ins().load(I64, flags, context, offset as i32)
    }

    /// Base address of a memory.
    pub(super) fn memory_base(&mut self, memory: u32) -> Value {
        if memory == 0 {
            return self.heap_base();
        }
        let slot = self.layout().memories + memory * size_of::<MemorySlot>() as u32;
        self.load_fixed(slot + offset::SLOT_BASE as u32)
    }

    /// Size of a memory in bytes.
    pub(super) fn memory_bytes(&mut self, memory: u32) -> Value {
        let slot = self.layout().memories + memory * size_of::<MemorySlot>() as u32;
        let memory = self.load_fixed(slot + offset::SLOT_MEMORY as u32);
        let flags = self.context_flags();
        self.b.ins().load(I64, flags, memory, offset::MEMORY_SIZE)
    }

    /// An index or a length as 64 bits.
    pub(super) fn wide(&mut self, value: Value) -> Value {
        if self.b.func.dfg.value_type(value) == I64 {
            value
        } else {
            self.b.ins().uextend(I64, value)
        }
    }

    /// A 64-bit index or length as the type that a memory or table has for them.
    pub(super) fn index_value(&mut self, value: Value, is_64: bool) -> Value {
        if is_64 { value } else { self.b.ins().ireduce(I32, value) }
    }

    /// Traps unless `count` bytes at `at` are in `memory`.
    pub(super) fn check_range(&mut self, memory: u32, at: Value, count: Value) {
        let trap = trap_code(Trap::MemoryOutOfBounds);
        let end = self.b.ins().uadd_overflow_trap(at, count, trap);
        let size = self.memory_bytes(memory);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
        self.b.ins().trapnz(outside, trap);
    }

    /// Address of a [`instance::Table`].
    fn table_of(&mut self, table: u32) -> Value {
        let at = self.layout().tables + 8 * table;
        self.load_fixed(at)
    }

    fn table_field(&mut self, table: Value, offset: i32) -> Value {
        let flags = self.context_flags();
        self.b.ins().load(I64, flags, table, offset)
    }

    pub(super) fn is_table64(&self, table: u32) -> bool {
        self.sections().tables[table as usize].ty.table64
    }

    /// Address of the element of that index.
    pub(super) fn element_address(&mut self, table: u32, index: Value, outside: TrapCode) -> Value {
        let index = self.wide(index);
        let table = self.table_of(table);
        let len = self.table_field(table, offset::TABLE_LEN);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, index, len);
        self.b.ins().trapz(inside, outside);
        let elements = self.table_field(table, offset::TABLE_ELEMENTS);
        let at = self.b.ins().ishl_imm_u(index, 3);
        self.b.ins().iadd(elements, at)
    }

    pub(super) fn table_get(&mut self, table: u32) {
        let index = self.pop();
        let element = self.element_address(table, index, trap_number(MoreTrap::TableAccess as u8));
        let flags = self.context_flags();
        let value = self.b.ins().load(I64, flags, element, 0);
        self.push(value);
    }

    pub(super) fn table_set(&mut self, table: u32) {
        let value = self.pop();
        let index = self.pop();
        let element = self.element_address(table, index, trap_number(MoreTrap::TableAccess as u8));
        let flags = self.context_flags();
        self.b.ins().store(flags, value, element, 0);
    }

    pub(super) fn table_size(&mut self, table: u32) {
        let is_64 = self.is_table64(table);
        let table = self.table_of(table);
        let len = self.table_field(table, offset::TABLE_LEN);
        let len = self.index_value(len, is_64);
        self.push(len);
    }

    /// Address of the [`FuncRef`] of a function.
    pub(super) fn function_reference(&mut self, function: u32) -> Value {
        let at = self.layout().functions + function * size_of::<FuncRef>() as u32;
        let context = self.context();
        self.b.ins().iadd_imm_u(context, i64::from(at))
    }

    /// Address that stands for a function type.
    pub(super) fn type_address(&mut self, ty: u32) -> Value {
        let canonical = self.module.canonical[ty as usize];
        let segments = self.module.segments.len() as u32;
        self.data_address(data::FIRST_SEGMENT + segments + canonical)
    }

    /// Address of a tag.
    pub(super) fn tag_address(&mut self, tag: u32) -> Value {
        let at = self.layout().tags + 8 * tag;
        self.load_fixed(at)
    }

    /// Address of the slot of a global that is imported and mutable.
    pub(super) fn imported_global(&mut self, offset: i32) -> Value {
        self.load_fixed(offset as u32)
    }

    /// Length of a data segment that may have been dropped.
    pub(super) fn dropped_segment_len(&mut self, segment: u32) -> Value {
        let at = self.layout().data + 8 * segment;
        let (flags, context) = (self.context_flags(), self.context());
        self.b.ins().load(I64, flags, context, at as i32)
    }

    pub(super) fn clear_segment(&mut self, segment: u32) {
        let at = self.layout().data + 8 * segment;
        self.clear(at);
    }

    pub(super) fn drop_elements(&mut self, segment: u32) {
        let at = self.layout().elements + size_of::<instance::ElementSlot>() as u32 * segment;
        self.clear(at + offset::ELEMENT_LEN as u32);
    }

    fn clear(&mut self, at: u32) {
        let zero = self.b.ins().iconst(I64, 0);
        let (flags, context) = (self.context_flags(), self.context());
        self.b.ins().store(flags, zero, context, at as i32);
    }

    /// Stores a value of an element segment.
    pub(super) fn set_element_value(&mut self, number: u32, value: Value) {
        let at = self.layout().values + 8 * number;
        let (flags, context) = (self.context_flags(), self.context());
        self.b.ins().store(flags, value, context, at as i32);
    }

    /// Code, type and context of a reference that is not null.
    pub(super) fn reference_field(&mut self, reference: Value, offset: i32, ty: Type) -> Value {
        // Unlike `constant_flags`: it may not move above the comparison with null.
        let region = Some(self.regions.constant);
        let flags = MemFlagsData::trusted().with_readonly().with_alias_region(region);
        self.b.ins().load(ty, flags, reference, offset)
    }

    /// The reference in a table, of which the type is checked unless it must be right.
    pub(super) fn checked_reference(&mut self, table: u32, index: Value, ty: u32) -> Result<Value> {
        let outside = trap_code(Trap::TableOutOfBounds);
        let element = self.element_address(table, index, outside);
        let flags = self.context_flags();
        let reference = self.b.ins().load(I64, flags, element, 0);
        self.b.ins().trapz(reference, trap_code(Trap::NullReference));
        let found = self.reference_field(reference, offset::FUNC_TYPE, I64);
        let wanted = self.type_address(ty);
        let same = self.b.ins().icmp(IntCC::Equal, found, wanted);
        self.b.ins().trapz(same, trap_code(Trap::BadSignature));
        Ok(reference)
    }

    /// Signature of a function that is called by reference.
    pub(super) fn cross_module_signature(&mut self, ty: u32) -> Result<SigRef> {
        let canonical = self.module.canonical[ty as usize];
        if let Some(known) = self.signature_refs.get(&canonical) {
            return Ok(*known);
        }
        let signature = self.env.signature(&self.module.types[ty as usize], Abi::CrossModule)?;
        let reference = self.b.import_signature(signature);
        self.signature_refs.insert(canonical, reference);
        Ok(reference)
    }
}
