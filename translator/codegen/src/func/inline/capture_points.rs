//! Capture points of functions that are there in place of a call.
//!
//! Such a function shares its native frame with its caller. At one of its capture points both are captured: its own
//! pad writes the values that it needs, and the pad of the call that it replaces writes the caller's. The
//! code generator hangs the handlers of the call at all calls that it puts in its place; what is not a
//! capture point gets rid of them again here. A poll has no handlers, it leaves values in a slot: also the caller's.

use crate::frames::{POLL_TAG, is_capture_point};
use crate::libcall::CAPTURED_INDEX;
use crate::names::{WIDE, namespace};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, DebugTag, ExceptionTableData, ExceptionTableItem, ExceptionTag,
    ExternalName, FuncRef, Function, Inst, InstBuilder, InstructionData, StackSlot, StackSlotData,
    StackSlotKey, StackSlotKind, Value,
};

/// Of the stack slot in which a function's own values are while what is in place of a call polls.
const OUTER_SLOT: u64 = 2;

/// How a caller is captured at the call that was replaced.
pub(super) struct Capture {
    tag: u32,
    pad: Block,
    /// What the pad's parameters are at the call; the first is where it writes to.
    args: Vec<BlockArg>,
}

/// A function's calls hang at these if they catch no exceptions: the tag of the one pad, and the pad.
pub(super) fn only_capture_point(table: &ExceptionTableData) -> Option<(u32, BlockCall)> {
    let mut items = table.items();
    match (items.next(), items.next()) {
        (Some(ExceptionTableItem::Tag(tag, pad)), None) => Some((tag.as_u32(), pad))
            .filter(|(tag, _)| is_capture_point(*tag) && tag & POLL_TAG == 0),
        _ => None,
    }
}

/// Whether the function takes exceptions of code that is no call.
pub(super) fn has_wide_handler(function: &Function) -> bool {
    let is_wide =
        |item| matches!(item, ExceptionTableItem::Tag(tag, _) if tag.as_u32() & WIDE != 0);
    function.dfg.exception_tables.values().any(|table| table.items().any(is_wide))
}

/// Adds `first` to the numbers of a function's capture points.
pub(super) fn renumber(function: &mut Function, first: u32) {
    for table in function.dfg.exception_tables.values_mut() {
        let items = table.items().map(|item| match item {
            ExceptionTableItem::Tag(tag, pad) => {
                ExceptionTableItem::Tag(ExceptionTag::from_u32(tag.as_u32() + first), pad)
            }
            other => other,
        });
        *table = ExceptionTableData::new(table.signature(), *table.normal_return(), items);
    }
    for number in 0..function.dfg.num_insts() {
        let inst = Inst::from_u32(number as u32);
        let tags = function.debug_tags.get(inst).to_vec();
        let renumbered = tags.into_iter().map(|tag| match tag {
            DebugTag::User(tag) if is_capture_point(tag) => DebugTag::User(tag + first),
            other => other,
        });
        function.debug_tags.set(inst, renumbered);
    }
}

impl Capture {
    /// That of a call, if it catches no exceptions.
    pub(super) fn find(caller: &Function, call: Inst) -> Option<Capture> {
        let InstructionData::TryCall { exception, .. } = caller.dfg.insts[call] else {
            return None;
        };
        let (tag, pad) = only_capture_point(&caller.dfg.exception_tables[exception])?;
        let pool = &caller.dfg.value_lists;
        let block = pad.block(pool);
        // What it loads, locals in memory, is not known at the call.
        let is_load = |inst| caller.dfg.insts[inst].opcode().can_load();
        let loads = caller.layout.block_insts(block).any(is_load);
        (!loads).then(|| Capture { tag, pad: block, args: pad.args(pool).collect() })
    }

    /// Completes the instructions that are there instead of the call.
    pub(super) fn complete(&self, caller: &mut Function, insts: impl Iterator<Item = Inst>) {
        for inst in insts {
            let exception = match caller.dfg.insts[inst] {
                InstructionData::TryCall { exception, .. }
                | InstructionData::TryCallIndirect { exception, .. } => exception,
                _ => continue,
            };
            let point = only_capture_point(&caller.dfg.exception_tables[exception]);
            if point.is_none_or(|(tag, _)| tag != self.tag) || self.end_pad(caller, inst) {
                continue;
            }
            if caller.debug_tags.has(inst) {
                self.store_before(caller, inst);
            }
            make_plain(caller, inst);
        }
    }

    /// Where that is the end of a pad: lets it end where those of the caller do.
    fn end_pad(&self, caller: &mut Function, inst: Inst) -> bool {
        let InstructionData::TryCall { func_ref, .. } = caller.dfg.insts[inst] else {
            return false;
        };
        let end = caller.layout.last_inst(self.pad);
        let tail = end.and_then(|end| match caller.dfg.insts[end] {
            InstructionData::Jump { destination, .. } => {
                Some(destination.block(&caller.dfg.value_lists))
            }
            _ => None,
        });
        let Some(tail) = tail.filter(|_| is_captured(caller, func_ref)) else { return false };
        let args: Vec<BlockArg> = caller.dfg.inst_args(inst).iter().map(|v| (*v).into()).collect();
        caller.replace(inst).jump(tail, &args);
        true
    }

    /// Stores what the pad would store in a slot before a poll.
    fn store_before(&self, caller: &mut Function, poll: Inst) {
        let params = caller.dfg.block_params(self.pad).to_vec();
        let at_call = |value: Value| match params.iter().position(|param| *param == value) {
            Some(i) => self.args.get(i).and_then(|arg| arg.as_value()),
            None => Some(value),
        };
        let stores = caller.layout.block_insts(self.pad).filter_map(|inst| {
            let dfg = &caller.dfg;
            let InstructionData::Store { args: [value, _], flags, offset, .. } = dfg.insts[inst]
            else {
                return None;
            };
            let value = at_call(dfg.resolve_aliases(value))?;
            Some((value, dfg.mem_flags[flags], i32::from(offset)))
        });
        let stores: Vec<_> = stores.collect();
        let end =
            |(value, _, at): &(Value, _, i32)| *at as u32 + caller.dfg.value_type(*value).bytes();
        let size = stores.iter().map(end).max().unwrap_or(0).next_multiple_of(8);
        let slot = outer_slot(caller, size);
        let mut cursor = FuncCursor::new(caller).at_inst(poll);
        let address = cursor.ins().stack_addr(I64, slot, 0);
        for (value, flags, at) in stores {
            cursor.ins().store(flags, value, address, at);
        }
        let own = caller.debug_tags.get(poll).to_vec();
        let outer = [DebugTag::User(self.tag), DebugTag::StackSlot(slot)];
        caller.debug_tags.set(poll, own.into_iter().chain(outer));
    }
}

fn is_captured(function: &Function, callee: FuncRef) -> bool {
    let ExternalName::User(name) = function.dfg.ext_funcs[callee].name else { return false };
    let name = &function.params.user_named_funcs()[name];
    name.namespace == namespace::LIBCALL && name.index == CAPTURED_INDEX
}

/// The slot, with room for `size` bytes.
fn outer_slot(function: &mut Function, size: u32) -> StackSlot {
    let key = StackSlotKey::new(OUTER_SLOT);
    let known = function.sized_stack_slots.iter().find(|(_, data)| data.key == Some(key));
    let slot = known.map(|(slot, _)| slot).unwrap_or_else(|| {
        let data = StackSlotData::new_with_key(StackSlotKind::ExplicitSlot, 0, 3, key);
        function.create_sized_stack_slot(data)
    });
    let data = &mut function.sized_stack_slots[slot];
    data.size = data.size.max(size);
    slot
}

/// Takes the handlers of a call away.
fn make_plain(function: &mut Function, inst: Inst) {
    let args = function.dfg.inst_args(inst).to_vec();
    let exception = match function.dfg.insts[inst] {
        InstructionData::TryCall { exception, func_ref, .. } => {
            function.replace(inst).call(func_ref, &args);
            exception
        }
        InstructionData::TryCallIndirect { exception, .. } => {
            let signature = function.dfg.exception_tables[exception].signature();
            function.replace(inst).call_indirect(signature, args[0], &args[1..]);
            exception
        }
        _ => return,
    };
    let table = &function.dfg.exception_tables[exception];
    let next = table.normal_return().block(&function.dfg.value_lists);
    let results: Vec<BlockArg> =
        function.dfg.inst_results(inst).iter().map(|v| (*v).into()).collect();
    FuncCursor::new(function).after_inst(inst).ins().jump(next, &results);
}
