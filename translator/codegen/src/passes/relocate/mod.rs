//! Keeps frames free of host addresses, so that a copy of a stack works elsewhere.
//!
//! The child of a fork runs in a copy of its parent's frames, with another stack, another context and
//! another memory. An integer may have the value of any address, so the copy can't tell which words are
//! addresses. It doesn't have to: this pass makes sure that none is alive across a call. Behind a call
//!
//! - the context is found from the stack pointer: it lies at the start of the stack's region
//!   ([`linnet_abi::context::REGION_SIZE`]);
//! - the base of the memory is loaded from the context;
//! - sums of these are computed once more, as are addresses of stack slots.
//!
//! What is left to the code generator are saved frame pointers and return addresses, which have known
//! places.
//!
//! Where paths with and without a call meet, the value becomes a block parameter, if it is needed there.
//! A poll is such a call, in a cold block: the loop around it keeps its addresses in registers, and the
//! cold block has them as distances from the base while it calls.

mod check;
mod kind;

use super::uses;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::packed_option::PackedOption;
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, Value, ValueDef};
use cranelift_codegen::loop_analysis::Loop;
use cranelift_codegen::{CodegenResult, Context, FxHashMap};
use kind::Kind;
use linnet_abi::context::{REGION_SIZE, offset};

/// So many meetings of paths are looked through for an address; behind more it is made anew.
const DEEP: usize = 64;

/// Needs the control flow graph, the dominator tree and the loops. Leaves no aliases.
pub(super) fn run(context: &mut Context) -> CodegenResult<()> {
    context.func.dfg.resolve_all_aliases();
    let calls = Calls::find(context);
    if calls.blocks.is_empty() {
        return Ok(());
    }
    let kinds = kind::find(context)?;
    let shared = shared(&context.func, &kinds);
    let order: Vec<Block> = context.domtree.cfg_rpo().copied().collect();
    let mut pass = Pass {
        context,
        calls,
        kinds,
        shared,
        stands_for: SecondaryMap::new(),
        walked: EntitySet::new(),
        now: SecondaryMap::new(),
        round: 0,
        has_called: false,
        touched: Vec::new(),
        starts: FxHashMap::default(),
        depth: 0,
        ends: FxHashMap::default(),
        joins: Vec::new(),
    };
    for block in order {
        pass.walk(block);
    }
    pass.join();
    debug_assert!(
        check::is_free(context),
        "an address is alive across a call: {}",
        context.func.name
    );
    Ok(())
}

/// Whether an instruction is a call that frames may be copied in.
fn is_call(func: &Function, inst: Inst) -> bool {
    let opcode = func.dfg.insts[inst].opcode();
    opcode.is_call() && !opcode.is_return()
}

fn is_invoke(func: &Function, inst: Inst) -> bool {
    func.dfg.insts[inst].opcode().is_terminator() && is_call(func, inst)
}

fn home(func: &Function, value: Value) -> Option<Block> {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst, _) => func.layout.inst_block(inst),
        ValueDef::Param(block, _) => Some(block),
        ValueDef::Union(..) => None,
    }
}

/// Addresses that are needed in other blocks than their own.
fn shared(func: &Function, kinds: &SecondaryMap<Value, Kind>) -> EntitySet<Value> {
    let mut shared = EntitySet::new();
    let mut todo = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            uses::for_operands(func, inst, |value| {
                if kinds[value] != Kind::None
                    && home(func, value) != Some(block)
                    && shared.insert(value)
                {
                    todo.push(value);
                }
            });
        }
    }
    // To make one anew takes what it is made of.
    while let Some(value) = todo.pop() {
        let ValueDef::Result(inst, _) = func.dfg.value_def(value) else { continue };
        let args = func.dfg.inst_args(inst).iter().filter(|arg| kinds[**arg] != Kind::None);
        todo.extend(args.filter(|arg| shared.insert(**arg)));
    }
    shared
}

/// Where functions are called.
struct Calls {
    blocks: EntitySet<Block>,
    /// With calls in blocks that are not cold.
    hot: EntitySet<Block>,
    /// With calls anywhere.
    loops: EntitySet<Loop>,
}

impl Calls {
    fn find(context: &Context) -> Calls {
        let Context { func, loop_analysis, .. } = context;
        let [blocks, hot] = [(); 2].map(|()| EntitySet::new());
        let mut calls = Calls { blocks, hot, loops: EntitySet::new() };
        for block in func.layout.blocks() {
            if !func.layout.block_insts(block).any(|inst| is_call(func, inst)) {
                continue;
            }
            calls.blocks.insert(block);
            if !func.layout.is_cold(block) {
                calls.hot.insert(block);
            }
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

/// A parameter that a block gets.
struct Join {
    block: Block,
    param: Value,
    /// What it stands for.
    value: Value,
    /// By predecessor.
    args: Vec<(Block, Value)>,
}

/// What there is at the start of a block.
#[derive(Clone, Copy)]
enum Start {
    /// It is being looked for.
    Open,
    Known(Value),
    /// It must be made.
    Nothing,
}

/// What comes of paths that meet.
enum Meeting {
    Start(Start),
    Param,
}

/// Where something is to be made: before an instruction.
#[derive(Clone, Copy)]
struct Place {
    block: Block,
    before: Inst,
    /// At the end of a block that was walked through already.
    is_end: bool,
}

struct Pass<'c> {
    context: &'c mut Context,
    calls: Calls,
    /// Of the values that the function had.
    kinds: SecondaryMap<Value, Kind>,
    shared: EntitySet<Value>,
    /// For values that the pass made, those of the function.
    stands_for: SecondaryMap<Value, PackedOption<Value>>,
    walked: EntitySet<Block>,
    /// What stands for an address in this block since the last call, if that was in this round.
    now: SecondaryMap<Value, (u32, PackedOption<Value>)>,
    round: u32,
    has_called: bool,
    touched: Vec<Value>,
    /// What stands for an address at the start of a block.
    starts: FxHashMap<(Block, Value), Start>,
    /// How many starts are being looked for.
    depth: usize,
    ends: FxHashMap<(Block, Value), Value>,
    joins: Vec<Join>,
}

impl Pass<'_> {
    /// Replaces what the instructions of a block use.
    fn walk(&mut self, block: Block) {
        self.round += 1;
        self.touched.clear();
        self.has_called = false;
        let is_entry = self.context.func.layout.entry_block() == Some(block);
        if is_entry && let Some(own) = self.context.func.dfg.block_params(block).first().copied() {
            self.set(own, own);
        }
        let mut used = Vec::new();
        let mut next = self.context.func.layout.first_inst(block);
        while let Some(inst) = next {
            next = self.context.func.layout.next_inst(inst);
            used.clear();
            let func = &self.context.func;
            uses::for_operands(func, inst, |value| {
                if self.kinds[value] != Kind::None {
                    used.push((value, value));
                }
            });
            for (value, current) in &mut used {
                *current = self.at(*value, Place { block, before: inst, is_end: false });
            }
            uses::replace(&mut self.context.func, inst, &used);
            if is_call(&self.context.func, inst) {
                self.round += 1;
                self.touched.clear();
                self.has_called = true;
            }
            let results = self.context.func.dfg.inst_results(inst);
            if let [result] = *results
                && self.kinds[result] != Kind::None
            {
                self.set(result, result);
            }
        }
        for value in std::mem::take(&mut self.touched) {
            if self.shared.contains(value)
                && let Some(current) = self.now[value].1.expand()
            {
                self.ends.insert((block, value), current);
            }
        }
        self.walked.insert(block);
    }

    fn set(&mut self, value: Value, current: Value) {
        self.now[value] = (self.round, current.into());
        self.touched.push(value);
    }

    /// What stands for an address at some place.
    fn at(&mut self, value: Value, place: Place) -> Value {
        let Place { block, is_end, .. } = place;
        if is_end {
            if let Some(known) = self.at_end(value, block) {
                return known;
            }
        } else {
            let (round, known) = self.now[value];
            if round == self.round
                && let Some(known) = known.expand()
            {
                return known;
            }
            if !self.has_called
                && let Some(known) = self.at_start(value, block)
            {
                self.set(value, known);
                return known;
            }
        }
        let made = self.make(value, place);
        if is_end {
            self.ends.insert((block, value), made);
        } else {
            self.set(value, made);
        }
        made
    }

    fn at_end(&mut self, value: Value, block: Block) -> Option<Value> {
        if let Some(known) = self.ends.get(&(block, value)) {
            return Some(*known);
        }
        if self.calls.blocks.contains(block) {
            return None;
        }
        if home(&self.context.func, value) == Some(block) {
            return Some(value);
        }
        self.at_start(value, block)
    }

    fn at_start(&mut self, value: Value, block: Block) -> Option<Value> {
        // Up through blocks with one predecessor, which may be many.
        let mut way = Vec::new();
        let mut at = block;
        let found = loop {
            match self.starts.get(&(at, value)) {
                Some(Start::Known(known)) => break Some(*known),
                Some(Start::Nothing) => break None,
                // A loop.
                Some(Start::Open) => break Some(self.param(value, at)),
                None => {}
            }
            let before = self.predecessors(at);
            let [only] = before[..] else { break self.find_start(value, at, &before) };
            way.push(at);
            let func = &self.context.func;
            if func.layout.last_inst(only).is_some_and(|last| is_invoke(func, last)) {
                break None;
            }
            if let Some(known) = self.ends.get(&(only, value)) {
                break Some(*known);
            }
            if self.calls.blocks.contains(only) {
                break None;
            }
            if home(func, value) == Some(only) {
                break Some(value);
            }
            at = only;
        };
        for block in way {
            self.starts.insert((block, value), found.map_or(Start::Nothing, Start::Known));
        }
        found
    }

    /// Lets a block have a parameter that stands for an address.
    fn param(&mut self, value: Value, block: Block) -> Value {
        let param = self.context.func.dfg.append_block_param(block, I64);
        self.stands_for[param] = value.into();
        self.joins.push(Join { block, param, value, args: Vec::new() });
        self.starts.insert((block, value), Start::Known(param));
        param
    }

    fn predecessors(&self, block: Block) -> Vec<Block> {
        let mut found: Vec<_> = self.context.cfg.pred_iter(block).map(|p| p.block).collect();
        // One that branches to the block in several ways is there several times.
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The same where several paths meet.
    fn find_start(&mut self, value: Value, block: Block, before: &[Block]) -> Option<Value> {
        self.starts.insert((block, value), Start::Open);
        self.depth += 1;
        let found = self.meet(value, block, before);
        self.depth -= 1;
        if let Some(Start::Known(param)) = self.starts.get(&(block, value)) {
            return Some(*param);
        }
        match found {
            Meeting::Param => Some(self.param(value, block)),
            Meeting::Start(start) => {
                self.starts.insert((block, value), start);
                if let Start::Known(known) = start { Some(known) } else { None }
            }
        }
    }

    fn meet(&mut self, value: Value, block: Block, before: &[Block]) -> Meeting {
        let func = &self.context.func;
        let invokes =
            |block: &Block| func.layout.last_inst(*block).is_none_or(|last| is_invoke(func, last));
        // Behind a call that ends a block there is no place but this block.
        if before.is_empty() || before.iter().any(invokes) || self.depth > DEEP {
            return Meeting::Start(Start::Nothing);
        }
        let (back, entries): (Vec<Block>, Vec<Block>) = before.iter().partition(|from| {
            !self.walked.contains(**from) || self.context.domtree.block_dominates(block, **from)
        });
        let mut ends = entries.iter().map(|from| self.at_end(value, *from)).collect::<Vec<_>>();
        ends.dedup();
        let same = if let [Some(same)] = ends[..] { Some(same) } else { None };
        if ends.iter().all(Option::is_none) {
            return Meeting::Start(Start::Nothing);
        }
        if back.is_empty() {
            return same.map_or(Meeting::Param, |same| Meeting::Start(Start::Known(same)));
        }
        let around = self.context.loop_analysis.is_loop_header(block);
        if let Some(same) = same
            && around.is_some_and(|found| !self.calls.loops.contains(found))
        {
            return Meeting::Start(Start::Known(same));
        }
        if back.iter().any(|latch| self.calls_up(*latch, block)) {
            return Meeting::Start(Start::Nothing);
        }
        Meeting::Param
    }

    /// Whether each round of a loop calls something.
    fn calls_up(&self, latch: Block, head: Block) -> bool {
        let mut at = Some(latch);
        while let Some(block) = at {
            if self.calls.hot.contains(block) {
                return true;
            }
            if block == head {
                break;
            }
            at = self.context.domtree.idom(block);
        }
        false
    }

    /// Makes an address anew.
    fn make(&mut self, value: Value, place: Place) -> Value {
        let made = self.make_one(value, place);
        self.stands_for[made] = value.into();
        made
    }

    fn make_one(&mut self, value: Value, place: Place) -> Value {
        let kind = self.kinds[value];
        if kind == Kind::Context {
            return own_context(&mut FuncCursor::new(&mut self.context.func).at_inst(place.before));
        }
        if kind == Kind::Heap
            && place.is_end
            && self.context.func.layout.is_cold(place.block)
            && home(&self.context.func, value) != Some(place.block)
            && let Some(before) = self.at_start(value, place.block)
        {
            return self.carry(before, place);
        }
        let ValueDef::Result(made, _) = self.context.func.dfg.value_def(value) else {
            unreachable!("no other parameter is an address")
        };
        let copy = self.context.func.dfg.clone_inst(made);
        for i in 0..self.context.func.dfg.inst_args(copy).len() {
            let arg = self.context.func.dfg.inst_args(copy)[i];
            let arg = self.stands_for[arg].expand().unwrap_or(arg);
            if self.kinds[arg] != Kind::None {
                let arg = self.at(arg, place);
                self.context.func.dfg.inst_args_mut(copy)[i] = arg;
            }
        }
        FuncCursor::new(&mut self.context.func).at_inst(place.before).insert_inst(copy);
        self.context.func.dfg.first_result(copy)
    }

    /// Takes an address through the calls of a cold block, as its distance from the base.
    fn carry(&mut self, value: Value, place: Place) -> Value {
        let func = &mut self.context.func;
        let first = func.layout.block_insts(place.block).find(|inst| is_call(func, *inst));
        let mut cursor = FuncCursor::new(func).at_inst(first.unwrap_or(place.before));
        let base = own_base(&mut cursor);
        let distance = cursor.ins().isub(value, base);
        cursor = FuncCursor::new(&mut self.context.func).at_inst(place.before);
        let base = own_base(&mut cursor);
        cursor.ins().iadd(base, distance)
    }

    /// Gives the new parameters their arguments.
    fn join(&mut self) {
        let mut at = 0;
        while at < self.joins.len() {
            let Join { block, value, .. } = self.joins[at];
            for from in self.predecessors(block) {
                let Some(before) = self.context.func.layout.last_inst(from) else { continue };
                let arg = self.at(value, Place { block: from, before, is_end: true });
                self.joins[at].args.push((from, arg));
            }
            at += 1;
        }
        self.simplify();
        for Join { block, args, .. } in std::mem::take(&mut self.joins) {
            for (from, arg) in args {
                let func = &mut self.context.func;
                let arg = func.dfg.resolve_aliases(arg);
                let Some(branch) = func.layout.last_inst(from) else { continue };
                let dfg = &mut func.dfg;
                let (tables, exceptions) = (&mut dfg.jump_tables, &mut dfg.exception_tables);
                for call in dfg.insts[branch].branch_destination_mut(tables, exceptions) {
                    if call.block(&dfg.value_lists) == block {
                        call.append_argument(arg, &mut dfg.value_lists);
                    }
                }
            }
        }
        self.resolve_aliases();
    }

    /// Instructions that are in no block are left alone: they may share lists of arguments with others, which
    /// have grown and are elsewhere now.
    fn resolve_aliases(&mut self) {
        let func = &mut self.context.func;
        let mut used = Vec::new();
        for block in func.layout.blocks().collect::<Vec<_>>() {
            let mut next = func.layout.first_inst(block);
            while let Some(inst) = next {
                next = func.layout.next_inst(inst);
                used.clear();
                uses::for_operands(func, inst, |value| {
                    used.push((value, func.dfg.resolve_aliases(value)));
                });
                uses::replace(func, inst, &used);
            }
        }
    }

    /// Removes parameters that are always the same value.
    fn simplify(&mut self) {
        loop {
            let before = self.joins.len();
            let dfg = &mut self.context.func.dfg;
            self.joins.retain(|join| {
                let mut same = None;
                for (_, arg) in &join.args {
                    let arg = dfg.resolve_aliases(*arg);
                    if arg == join.param || same == Some(arg) {
                        continue;
                    }
                    if same.is_some() {
                        return true;
                    }
                    same = Some(arg);
                }
                let Some(same) = same else { return true };
                dfg.remove_block_param(join.param);
                dfg.change_to_alias(join.param, same);
                false
            });
            if self.joins.len() == before {
                return;
            }
        }
    }
}

/// The context of who runs this code.
fn own_context(cursor: &mut FuncCursor) -> Value {
    let sp = cursor.ins().get_stack_pointer(I64);
    cursor.ins().band_imm_s(sp, -(REGION_SIZE as i64))
}

fn own_base(cursor: &mut FuncCursor) -> Value {
    use cranelift_codegen::ir::MemFlagsData;
    let context = own_context(cursor);
    cursor.ins().load(I64, MemFlagsData::trusted(), context, offset::HEAP_BASE)
}
