//! Spills values with long live ranges to stack slots.
//!
//! The register allocator splits the life of a value that it finds no register for a few times, and after that
//! loads the value wherever it is used. So it goes in giant functions, such as interpreters, with all that
//! lives in the whole of them, the base of the memory and the context among it: calls leave few registers. Here such
//! values are loaded once from one call to the next, and ahead of loops that call nothing. What is alive between
//! calls alone has many registers.
//!
//! The context is alive in all of a function. It is needed at calls, where it moves to another register, and
//! at polls. Where there are few registers, a function that needs it after a call keeps it in a slot, which costs
//! no more than to save the register that it would take.

use super::rematerialize::rematerializable;
use super::uses::{self, Uses, for_operands};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::packed_option::PackedOption;
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    Block, Function, Inst, InstBuilder, Opcode, StackSlot, StackSlotData, StackSlotKind, Value,
    ValueDef,
};
use cranelift_codegen::loop_analysis::Loop;
use cranelift_codegen::{Context, FxHashMap};
use smallvec::{SmallVec, smallvec};
use std::cmp::Reverse;

/// Blocks that need a value that lives long.
const BLOCKS: u32 = 8;

/// Fewest such values, without the context, that are too many for the registers.
const MANY: usize = 12;

/// Most values that get slots, so that large functions do not take memory by the square of their size.
const MOST: usize = 32;

/// Most blocks that are looked at for calls between a block and its dominator.
const NEAR: usize = 24;

/// Values, and what has them up to the next call.
type Copies = SmallVec<[(Value, Value); 4]>;

fn find(copies: &Copies, value: Value) -> Option<Value> {
    copies.iter().find(|(of, _)| *of == value).map(|(_, copy)| *copy)
}

/// `has_slot`: whether the context may have one.
pub(super) fn run(context: &mut Context, uses: &SecondaryMap<Value, Uses>, has_slot: bool) {
    let calls = Calls::find(context);
    let func = &context.func;
    let Some(entry) = func.layout.entry_block().filter(|_| !calls.blocks.is_empty()) else {
        return;
    };
    let own = func.dfg.block_params(entry).first().copied();
    let mut values = long_lived(func, uses);
    values.retain(|value| Some(*value) != own);
    if values.len() < MANY {
        values.clear();
    }
    values.sort_by_key(|value| Reverse(uses[*value].blocks));
    values.truncate(MOST);
    values.extend(own.filter(|_| has_slot));
    if values.is_empty() {
        return;
    }
    let mut parts = SecondaryMap::new();
    for value in &values {
        parts[*value] = Some(*value).into();
    }
    let order: Vec<Block> = context.domtree.cfg_rpo().copied().collect();
    let (slots, ends) = (FxHashMap::default(), SecondaryMap::new());
    let mut pass = Pass { context, calls, parts, slots, ends, used: Vec::new() };
    for block in order {
        pass.replace(block);
    }
    pass.store(&values);
}

/// What is needed in many blocks.
fn long_lived(func: &Function, uses: &SecondaryMap<Value, Uses>) -> Vec<Value> {
    let long = uses.iter().filter(|(value, uses)| {
        uses.blocks >= BLOCKS
            && [I32, I64].contains(&func.dfg.value_type(*value))
            && def_block(func, *value).is_some()
    });
    long.map(|(value, _)| value).collect()
}

/// The block that defines a value, unless the value is a block parameter or can be rematerialized.
fn def_block(func: &Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(..) if rematerializable(func, value).is_some() => None,
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => func.layout.entry_block().filter(|entry| *entry == block),
        ValueDef::Union(..) => None,
    }
}

/// What calls functions.
struct Calls {
    blocks: EntitySet<Block>,
    loops: EntitySet<Loop>,
}

impl Calls {
    fn find(context: &Context) -> Calls {
        let Context { func, loop_analysis, .. } = context;
        let mut calls = Calls { blocks: EntitySet::new(), loops: EntitySet::new() };
        for block in func.layout.blocks().filter(|block| !func.layout.is_cold(*block)) {
            if !func.layout.block_insts(block).any(|inst| func.dfg.insts[inst].opcode().is_call()) {
                continue;
            }
            calls.blocks.insert(block);
            let mut around = loop_analysis.innermost_loop(block);
            while let Some(found) = around
                && calls.loops.insert(found)
            {
                around = loop_analysis.loop_parent(found);
            }
        }
        calls
    }
}

struct Pass<'c> {
    context: &'c mut Context,
    calls: Calls,
    /// The values that are to be replaced, and what was cut off from them in the blocks so far: each with the
    /// value that it is a part of.
    parts: SecondaryMap<Value, PackedOption<Value>>,
    /// Made for those values that are needed after a call.
    slots: FxHashMap<Value, StackSlot>,
    /// What there is at the end of a block.
    ends: SecondaryMap<Block, Copies>,
    /// What the current instruction uses, with what that is a part of.
    used: Vec<(Value, Value)>,
}

impl Pass<'_> {
    fn replace(&mut self, block: Block) {
        let mut copies = self.at_start(block);
        let mut next = self.context.func.layout.first_inst(block);
        while let Some(inst) = next {
            next = self.context.func.layout.next_inst(inst);
            let dfg = &self.context.func.dfg;
            let opcode = dfg.insts[inst].opcode();
            if opcode == Opcode::Ireduce {
                // It is reduced again at each use.
                let whole = self.parts[dfg.resolve_aliases(dfg.inst_args(inst)[0])];
                if whole.is_some() {
                    self.parts[dfg.first_result(inst)] = whole;
                }
                continue;
            }
            self.replace_operands(block, inst, &mut copies);
            if opcode.is_call() {
                copies.clear();
            }
            let results = self.context.func.dfg.inst_results(inst).iter();
            copies.extend(results.filter(|v| self.parts[**v].is_some()).map(|v| (*v, *v)));
        }
        self.ends[block] = copies;
    }

    fn at_start(&self, block: Block) -> Copies {
        let Some(before) = self.context.domtree.idom(block) else {
            let params = self.context.func.dfg.block_params(block).iter();
            return params.filter(|v| self.parts[**v].is_some()).map(|v| (*v, *v)).collect();
        };
        let copies = Some(&self.ends[before]);
        copies.filter(|c| !c.is_empty() && self.is_quiet(block)).cloned().unwrap_or_default()
    }

    fn replace_operands(&mut self, block: Block, inst: Inst, copies: &mut Copies) {
        let func = &self.context.func;
        self.used.clear();
        for_operands(func, inst, |value| {
            let whole = self.parts[func.dfg.resolve_aliases(value)];
            self.used.extend(whole.expand().map(|whole| (value, whole)));
        });
        for i in 0..self.used.len() {
            let (value, whole) = self.used[i];
            let copy = match find(copies, whole) {
                Some(copy) => copy,
                None => {
                    let copy = self.load(whole, block, inst);
                    copies.push((whole, copy));
                    copy
                }
            };
            let func = &mut self.context.func;
            let ty = func.dfg.value_type(value);
            let is_cut = ty != func.dfg.value_type(copy);
            let mut cursor = FuncCursor::new(func).at_inst(inst);
            self.used[i].1 = if is_cut { cursor.ins().ireduce(ty, copy) } else { copy };
        }
        uses::replace(&mut self.context.func, inst, &self.used);
    }

    /// Loads a value for an instruction, ahead of loops that call nothing.
    fn load(&mut self, value: Value, block: Block, inst: Inst) -> Value {
        let place = self.ahead(value, block);
        if let Some(place) = place
            && let Some(copy) = find(&self.ends[place], value)
        {
            return copy;
        }
        let func = &mut self.context.func;
        let slot = *self.slots.entry(value).or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3);
            func.create_sized_stack_slot(data)
        });
        let before = place.and_then(|place| func.layout.last_inst(place)).unwrap_or(inst);
        let ty = func.dfg.value_type(value);
        let copy = FuncCursor::new(func).at_inst(before).ins().stack_load(I64, ty, slot, 0);
        if let Some(place) = place {
            self.ends[place].push((value, copy));
        }
        copy
    }

    /// The block ahead of the outermost loop around a block that calls nothing and gets the value from outside.
    fn ahead(&self, value: Value, block: Block) -> Option<Block> {
        let Context { func, loop_analysis: loops, domtree, .. } = &*self.context;
        let home = def_block(func, value);
        let mut outermost = None;
        let mut around = loops.innermost_loop(block);
        while let Some(found) = around
            && !self.calls.loops.contains(found)
            && home.is_none_or(|home| !loops.is_in_loop(home, found))
        {
            outermost = Some(found);
            around = loops.loop_parent(found);
        }
        let head = loops.loop_header(outermost?);
        let place = domtree.idom(head).filter(|_| self.is_quiet(head))?;
        let last = func.layout.last_inst(place)?;
        (!func.dfg.insts[last].opcode().is_call()).then_some(place)
    }

    /// Whether nothing is called between the end of a block's dominator and the block.
    fn is_quiet(&self, block: Block) -> bool {
        let Some(dominator) = self.context.domtree.idom(block) else { return false };
        let mut between: SmallVec<[Block; NEAR]> = smallvec![block];
        let mut at = 0;
        while let Some(found) = between.get(at).copied() {
            at += 1;
            for predecessor in self.context.cfg.pred_iter(found).map(|p| p.block) {
                if predecessor == dominator {
                    continue;
                }
                if self.calls.blocks.contains(predecessor) || between.len() == NEAR {
                    return false;
                }
                if !between.contains(&predecessor) {
                    between.push(predecessor);
                }
            }
        }
        true
    }

    /// Stores the values that have slots, where they come from.
    fn store(&mut self, values: &[Value]) {
        let func = &mut self.context.func;
        for value in values {
            let Some(slot) = self.slots.get(value) else { continue };
            uses::after_def(func, *value).ins().stack_store(I64, *value, *slot, 0);
        }
    }
}
