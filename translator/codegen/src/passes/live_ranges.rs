//! Cuts live ranges of functions that have too many long ones.
//!
//! The register allocator compares a live range with all others that it meets, so that a function with many long
//! ones takes time and memory with the square of its size. It joins what a block parameter may be into one
//! bundle of live ranges, which it copies with each join. Nobody writes such functions, and they stay correct when such
//! values are in stack slots: stored once where they are made, loaded at each use. What is left is short.

use super::uses::{self, for_operands};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{
    Block, BlockCall, Function, Inst, InstBuilder, InstructionData, MemFlagsData, Opcode,
    StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_codegen::{Context, FxHashMap};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Instructions that a function may have without being looked at.
const FEW: usize = 4096;

/// Most values that are alive at a time, on average. Among the guest's packages and the kernel it is 50.
const ALIVE: u64 = 256;

/// Instructions from a definition to the last use, from which on a live range is long.
const LONG: u32 = 256;

/// Values that block parameters may join into one bundle, and the same on average over all instructions. Of
/// the guest's packages and the kernel these are 410 and 45, of a large module by Go 12,000 and 2,600.
const BUNDLE: u64 = 1024;

/// Arguments of block parameters: for each parameter the register allocator goes through those of the ones before.
/// Among the guest's packages and the kernel it is 3,600, and in a large module by Go 50,000.
const ARGUMENTS: usize = 1 << 14;

/// It runs last: nothing must be known of the loads afterwards.
pub(super) fn run(context: &mut Context) {
    if context.func.dfg.num_insts() < FEW {
        return;
    }
    if has_many_arguments(&context.func) {
        pass_in_slots(context);
    }
    if Webs::are_large(&context.func) {
        Webs::cut(context);
    }
    let ranges = Ranges::find(context);
    if ranges.total > ALIVE * u64::from(ranges.len) {
        ranges.cut(context);
    }
}

fn slot_size(ty: Type) -> u32 {
    ty.bytes().max(8)
}

fn new_slot(func: &mut Function, ty: Type) -> StackSlot {
    let size = slot_size(ty);
    func.create_sized_stack_slot(StackSlotData::new(
        StackSlotKind::ExplicitSlot,
        size,
        size.ilog2() as u8,
    ))
}

fn has_many_arguments(func: &Function) -> bool {
    let mut count = 0;
    for branch in func.layout.blocks().filter_map(|block| func.layout.last_inst(block)) {
        for_each_argument(func, branch, |_, _, _| count += 1);
    }
    count > ARGUMENTS
}

/// Gives each parameter a slot that branches store into, where these have no other way: all of a block's.
fn pass_in_slots(context: &mut Context) {
    let Context { func, cfg, .. } = context;
    let entry = func.layout.entry_block();
    let mut slots: SecondaryMap<Block, Vec<StackSlot>> = SecondaryMap::new();
    for block in func.layout.blocks().collect::<Vec<_>>() {
        let is_simple = |branch: Inst| match func.dfg.insts[branch] {
            InstructionData::Jump { .. } => true,
            InstructionData::Brif { blocks: [a, b], .. } => {
                a.block(&func.dfg.value_lists) != b.block(&func.dfg.value_lists)
            }
            _ => false,
        };
        if Some(block) == entry || !cfg.pred_iter(block).all(|from| is_simple(from.inst)) {
            continue;
        }
        let params = func.dfg.block_params(block).to_vec();
        func.dfg.detach_block_params(block);
        for param in params {
            let ty = func.dfg.value_type(param);
            let slot = new_slot(func, ty);
            let mut cursor = FuncCursor::new(func).at_first_insertion_point(block);
            let address = cursor.ins().stack_addr(I64, slot, 0);
            let flags = MemFlagsData::new().with_notrap();
            cursor.ins().with_result(param).load(ty, flags, address, 0);
            slots[block].push(slot);
        }
    }
    for block in func.layout.blocks().collect::<Vec<_>>() {
        let Some(branch) = func.layout.last_inst(block) else { continue };
        let mut stores = Vec::new();
        for_each_argument(func, branch, |to, at, arg| {
            stores.extend(slots[to].get(at).map(|slot| (arg, *slot)));
        });
        for (arg, slot) in stores {
            FuncCursor::new(func).at_inst(branch).ins().stack_store(I64, arg, slot, 0);
        }
        let dfg = &mut func.dfg;
        for call in dfg.insts[branch]
            .branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables)
        {
            let to = call.block(&dfg.value_lists);
            if !slots[to].is_empty() {
                *call = BlockCall::new(to, [], &mut dfg.value_lists);
            }
        }
    }
}

/// From the definition of a value to its last use, in reverse post-order.
struct Range {
    value: Value,
    start: u32,
    end: u32,
}

struct Ranges {
    /// In order of their starts.
    list: Vec<Range>,
    /// Instructions, and the sum of all ranges' lengths.
    len: u32,
    total: u64,
}

impl Ranges {
    fn find(context: &Context) -> Ranges {
        let Context { func, domtree, .. } = context;
        let order: Vec<Block> = domtree.cfg_rpo().copied().collect();
        let loops = Loops::find(context, &order);
        let mut list: Vec<Range> = Vec::with_capacity(func.dfg.num_values());
        let mut numbers: SecondaryMap<Value, u32> =
            SecondaryMap::with_capacity(func.dfg.num_values());
        // Of each range the blocks in which it starts and ends.
        let mut blocks: Vec<(u32, u32)> = Vec::with_capacity(func.dfg.num_values());
        let mut ends = Vec::with_capacity(order.len());
        let mut at = 0;
        for (number, block) in (0..).zip(&order) {
            let mut define = |value: Value, at| {
                numbers[value] = list.len() as u32;
                list.push(Range { value, start: at, end: at });
                blocks.push((number, number));
            };
            for param in func.dfg.block_params(*block) {
                define(*param, at);
            }
            for inst in func.layout.block_insts(*block) {
                at += 1;
                for result in func.dfg.inst_results(inst) {
                    define(*result, at);
                }
            }
            ends.push(at);
        }
        let len = at;
        at = 0;
        for (number, block) in (0..).zip(&order) {
            for inst in func.layout.block_insts(*block) {
                at += 1;
                for_operands(func, inst, |value| {
                    let range = numbers[value] as usize;
                    list[range].end = list[range].end.max(at);
                    blocks[range].1 = blocks[range].1.max(number);
                });
            }
        }
        let mut total = 0;
        for (range, (first, last)) in list.iter_mut().zip(blocks) {
            let last_of_loops = loops.last(first, last);
            if last_of_loops > last {
                range.end = range.end.max(ends[last_of_loops as usize]);
            }
            total += u64::from(range.end - range.start);
        }
        Ranges { list, len, total }
    }

    /// Puts the long ones into slots, one slot after the other.
    fn cut(self, context: &mut Context) {
        let mut slots: SecondaryMap<Value, Option<StackSlot>> = SecondaryMap::new();
        let mut taken: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
        // By their sizes.
        let mut free: FxHashMap<u32, Vec<StackSlot>> = FxHashMap::default();
        // Without the loops it is not known how long a slot is needed.
        let is_known = context.loop_analysis.is_valid();
        let func = &mut context.func;
        let long = self.list.iter().filter(|range| range.end - range.start > LONG);
        for Range { value, start, end } in long {
            while let Some(Reverse((ended, number))) = taken.peek().copied()
                && ended < *start
            {
                taken.pop();
                let slot = StackSlot::from_u32(number);
                free.entry(func.sized_stack_slots[slot].size).or_default().push(slot);
            }
            let ty = func.dfg.value_type(*value);
            let size = slot_size(ty);
            let slot = match free.entry(size).or_default().pop() {
                Some(slot) => slot,
                None => new_slot(func, ty),
            };
            if is_known {
                taken.push(Reverse((*end, slot.as_u32())));
            }
            slots[*value] = Some(slot);
        }
        let order: Vec<Block> = context.domtree.cfg_rpo().copied().collect();
        let mut used = Vec::new();
        for block in order {
            // The stores are not looked at: they take the values themselves.
            let mut next = func.layout.first_inst(block);
            for param in func.dfg.block_params(block).to_vec() {
                if let Some(slot) = slots[param] {
                    uses::after_def(func, param).ins().stack_store(I64, param, slot, 0);
                }
            }
            while let Some(inst) = next {
                next = func.layout.next_inst(inst);
                load(func, inst, &slots, &mut used);
                for at in 0..func.dfg.inst_results(inst).len() {
                    let result = func.dfg.inst_results(inst)[at];
                    if let Some(slot) = slots[result] {
                        uses::after_def(func, result).ins().stack_store(I64, result, slot, 0);
                    }
                }
            }
        }
    }
}

/// Loads what an instruction uses from the slots.
fn load(
    func: &mut Function,
    inst: Inst,
    slots: &SecondaryMap<Value, Option<StackSlot>>,
    used: &mut Vec<(Value, Value)>,
) {
    used.clear();
    for_operands(func, inst, |value| {
        if slots[value].is_some() {
            used.push((value, value));
        }
    });
    used.sort_unstable();
    used.dedup();
    for (value, copy) in used.iter_mut() {
        if let Some(slot) = slots[*value] {
            let ty = func.dfg.value_type(*value);
            *copy = FuncCursor::new(func).at_inst(inst).ins().stack_load(I64, ty, slot, 0);
        }
    }
    uses::replace(func, inst, used);
}

/// Loops as runs of blocks in reverse post-order, which may have blocks in them that are not of the loop.
struct Loops {
    /// For each block the last one of the loops that begin there, then the same for each two, four, …
    /// blocks from there on.
    last: Vec<Vec<u32>>,
}

impl Loops {
    fn find(context: &Context, order: &[Block]) -> Loops {
        let loops = &context.loop_analysis;
        if loops.loops().next().is_none() {
            return Loops { last: Vec::new() };
        }
        let mut numbers: SecondaryMap<Block, u32> = SecondaryMap::new();
        for (number, block) in (0..).zip(order) {
            numbers[*block] = number;
        }
        let mut row: Vec<u32> = (0..order.len() as u32).collect();
        let mut seen = EntitySet::new();
        for (number, block) in (0..order.len() as u32).zip(order).rev() {
            let mut around = loops.innermost_loop(*block);
            while let Some(found) = around
                && seen.insert(found)
            {
                let head = numbers[loops.loop_header(found)] as usize;
                row[head] = row[head].max(number);
                around = loops.loop_parent(found);
            }
        }
        let mut last = vec![row];
        let mut width = 1;
        while 2 * width <= order.len() {
            let row = &last[last.len() - 1];
            let wider = row.iter().zip(&row[width..]).map(|(a, b)| *a.max(b)).collect();
            last.push(wider);
            width *= 2;
        }
        Loops { last }
    }

    /// The last block in which a value may be alive that is defined in block `first` and used in `last`: a loop
    /// that begins behind the definition and has the use in it needs the value in its next round.
    fn last(&self, first: u32, mut last: u32) -> u32 {
        while !self.last.is_empty() && first < last {
            let count = (last - first) as usize;
            let row = &self.last[count.ilog2() as usize];
            let behind = row[last as usize + 1 - (1 << count.ilog2())];
            let found = row[first as usize + 1].max(behind);
            if found <= last {
                break;
            }
            last = found;
        }
        last
    }
}

/// Values that block parameters join: each with another one of its bundle, or the size of that.
struct Webs {
    up: SecondaryMap<Value, Option<Value>>,
    size: SecondaryMap<Value, u32>,
}

impl Webs {
    fn new() -> Webs {
        Webs { up: SecondaryMap::new(), size: SecondaryMap::new() }
    }

    fn are_large(func: &Function) -> bool {
        let mut webs = Webs::new();
        let mut squares = 0_u64;
        for branch in func.layout.blocks().filter_map(|block| func.layout.last_inst(block)) {
            for_each_argument(func, branch, |block, at, arg| {
                squares += webs.join(func.dfg.block_params(block)[at], arg);
            });
        }
        squares > BUNDLE * func.dfg.num_insts() as u64
    }

    fn root(&mut self, mut value: Value) -> Value {
        while let Some(up) = self.up[value] {
            if self.up[up].is_some() {
                self.up[value] = self.up[up];
            }
            value = up;
        }
        value
    }

    fn size(&self, root: Value) -> u64 {
        u64::from(self.size[root]) + 1
    }

    /// By how much the sum of all sizes' squares grows.
    fn join(&mut self, a: Value, b: Value) -> u64 {
        let (mut a, mut b) = (self.root(a), self.root(b));
        if a == b {
            return 0;
        }
        if self.size(a) < self.size(b) {
            std::mem::swap(&mut a, &mut b);
        }
        let growth = 2 * self.size(a) * self.size(b);
        self.up[b] = Some(a);
        self.size[a] += self.size[b] + 1;
        growth
    }

    /// Lets what parameters may be come by way of a slot where bundles would become too large.
    fn cut(context: &mut Context) {
        let Context { func, cfg, domtree, .. } = context;
        let mut webs = Webs::new();
        let mut cut: Vec<(Inst, Value)> = Vec::new();
        let mut edges: Vec<Vec<(Inst, Value)>> = Vec::new();
        for block in domtree.cfg_rpo().copied() {
            edges.clear();
            edges.resize(func.dfg.num_block_params(block), Vec::new());
            if edges.is_empty() {
                continue;
            }
            // A table of branches would have copies for all of them.
            let mut can_be_cut = true;
            for branch in cfg.pred_iter(block).map(|predecessor| predecessor.inst) {
                let opcode = func.dfg.insts[branch].opcode();
                can_be_cut &= matches!(opcode, Opcode::Jump | Opcode::Brif);
                for_each_argument(func, branch, |to, at, arg| {
                    if to == block {
                        edges[at].push((branch, arg));
                    }
                });
            }
            for (at, edges) in edges.iter().enumerate() {
                let sizes = edges.iter().map(|(_, arg)| {
                    let root = webs.root(*arg);
                    webs.size(root)
                });
                if can_be_cut && sizes.sum::<u64>() > BUNDLE {
                    cut.extend(edges);
                } else {
                    let param = func.dfg.block_params(block)[at];
                    for (_, arg) in edges {
                        webs.join(param, *arg);
                    }
                }
            }
        }
        cut.sort_unstable();
        cut.dedup();
        let mut slots: FxHashMap<Type, StackSlot> = FxHashMap::default();
        for edges in cut.chunk_by(|a, b| a.0 == b.0) {
            let branch = edges[0].0;
            let mut copies = Vec::with_capacity(edges.len());
            for (_, arg) in edges {
                let ty = func.dfg.value_type(*arg);
                let slot = *slots.entry(ty).or_insert_with(|| new_slot(func, ty));
                let mut cursor = FuncCursor::new(func).at_inst(branch);
                cursor.ins().stack_store(I64, *arg, slot, 0);
                copies.push((*arg, cursor.ins().stack_load(I64, ty, slot, 0)));
            }
            uses::replace(func, branch, &copies);
        }
    }
}

/// The blocks to which an instruction branches, with the numbers of their parameters and what these become.
fn for_each_argument(func: &Function, inst: Inst, mut each: impl FnMut(Block, usize, Value)) {
    let dfg = &func.dfg;
    for call in dfg.insts[inst].branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
        let block = call.block(&dfg.value_lists);
        for (at, arg) in call.args(&dfg.value_lists).enumerate() {
            if let Some(value) = arg.as_value() {
                each(block, at, value);
            }
        }
    }
}
