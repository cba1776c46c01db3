//! Which locals a frame still needs at a capture point.
//!
//! A backward pass over the operators, again and again until the loops' heads settle. It follows from
//! the WebAssembly code alone, so that a record is the same on every instruction set.

use crate::module::tail_calls;
use cranelift_codegen::FxHashMap;
use wasmparser::{Catch, FunctionBody, Operator};

/// Rounds until everything is taken to be live. Each round settles at least one more level of nested
/// loops.
const MAX_ROUNDS: usize = 24;

/// Words that the sets of all open blocks may take together.
const MAX_WORDS: usize = 1 << 22;

/// Locals that are live, for each capture point by the offset of its operator in the file.
pub(crate) type Live = FxHashMap<u64, Vec<u32>>;

type Bits = Vec<u64>;

enum Event {
    Get(u32),
    Set(u32),
    Call(u64),
    Open,
    Loop(u64),
    If,
    Else,
    End,
    Try,
    /// The labels that clauses branch to.
    TryTable(Vec<u32>),
    Catch,
    Branch(u32),
    BranchIf(u32),
    BranchTable(Vec<u32>),
    Throw,
    Stop,
}

/// A block on the way back from its end to its beginning.
struct Block {
    is_loop: bool,
    /// Index of the event that opens it.
    opener: usize,
    at_end: Bits,
    at_else: Option<Bits>,
    /// What its clauses need, while the pass is in its body.
    at_clauses: Bits,
    clauses_left: usize,
}

/// Finds them, for all capture points or for those `wanted`, which are sorted. Capture points that are not among them would
/// take too much and cannot be captured. The body is not validated yet: of one that is wrong the result
/// means nothing.
pub(crate) fn find(body: &FunctionBody, locals: usize, wanted: Option<&[u64]>) -> Live {
    let events = events(body);
    if depth(&events) * locals.div_ceil(64) > MAX_WORDS {
        return Live::default();
    }
    let mut pass = Pass::new(&events, locals);
    pass.settle();
    pass.wanted = wanted;
    let mut live = Live::default();
    pass.run(Some(&mut live));
    live
}

/// Blocks that are open at a time, at most.
fn depth(events: &[Event]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for event in events {
        match event {
            Event::Open | Event::Loop(_) | Event::If | Event::Try | Event::TryTable(_) => now += 1,
            Event::End => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

fn events(body: &FunctionBody) -> Vec<Event> {
    // There may be a poll where the function begins.
    let mut events = vec![Event::Call(body.range().start)];
    let Ok(mut operators) = body.get_operators_reader() else { return events };
    while let Ok((operator, offset)) = operators.read_with_offset() {
        use Operator as O;
        if tail_calls::is_one(&operator) {
            // Some are calls that return to the function first.
            events.extend([Event::Call(offset), Event::Stop]);
            continue;
        }
        events.push(match operator {
            O::LocalGet { local_index } => Event::Get(local_index),
            O::LocalSet { local_index } | O::LocalTee { local_index } => Event::Set(local_index),
            O::Call { .. }
            | O::CallIndirect { .. }
            | O::MemoryAtomicWait32 { .. }
            | O::MemoryAtomicWait64 { .. } => Event::Call(offset),
            O::Block { .. } => Event::Open,
            O::Loop { .. } => Event::Loop(offset),
            O::If { .. } => Event::If,
            O::Else => Event::Else,
            O::End | O::Delegate { .. } => Event::End,
            O::Try { .. } => Event::Try,
            O::TryTable { try_table } => Event::TryTable(
                try_table
                    .catches
                    .iter()
                    .map(|catch| match *catch {
                        Catch::One { label, .. }
                        | Catch::OneRef { label, .. }
                        | Catch::All { label }
                        | Catch::AllRef { label } => label,
                    })
                    .collect(),
            ),
            O::Catch { .. } | O::CatchAll => Event::Catch,
            O::Br { relative_depth } => Event::Branch(relative_depth),
            O::BrIf { relative_depth } => Event::BranchIf(relative_depth),
            O::BrTable { targets } => {
                let labels = targets.targets().map_while(Result::ok);
                let mut labels: Vec<_> = labels.chain([targets.default()]).collect();
                labels.sort_unstable();
                labels.dedup();
                Event::BranchTable(labels)
            }
            O::Throw { .. } | O::ThrowRef | O::Rethrow { .. } => Event::Throw,
            O::Return | O::Unreachable => Event::Stop,
            _ => continue,
        });
        if operators.eof() {
            break;
        }
    }
    events
}

fn join(to: &mut Bits, from: &Bits) -> bool {
    let mut changed = false;
    for (to, from) in to.iter_mut().zip(from) {
        changed |= *to | from != *to;
        *to |= from;
    }
    changed
}

struct Pass<'e> {
    events: &'e [Event],
    locals: usize,
    /// For each end, what it ends and how many clauses that has.
    opened: FxHashMap<usize, (usize, usize)>,
    /// What is live at the head of each loop, by its event.
    heads: FxHashMap<usize, Bits>,
    blocks: Vec<Block>,
    /// Locals listed so far.
    listed: usize,
    wanted: Option<&'e [u64]>,
}

impl<'e> Pass<'e> {
    fn new(events: &'e [Event], locals: usize) -> Self {
        let mut opened = FxHashMap::default();
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (i, event) in events.iter().enumerate() {
            match event {
                Event::Open | Event::Loop(_) | Event::If | Event::Try | Event::TryTable(_) => {
                    open.push((i, 0))
                }
                Event::Catch => {
                    if let Some(block) = open.last_mut() {
                        block.1 += 1;
                    }
                }
                Event::End => {
                    if let Some(block) = open.pop() {
                        opened.insert(i, block);
                    }
                }
                _ => {}
            }
        }
        let heads = FxHashMap::default();
        Pass { events, locals, opened, heads, blocks: Vec::new(), listed: 0, wanted: None }
    }

    /// Runs until nothing changes.
    fn settle(&mut self) {
        let mut rounds = 0;
        while self.run(None) {
            rounds += 1;
            if rounds == MAX_ROUNDS {
                for head in self.heads.values_mut() {
                    head.fill(u64::MAX);
                }
                break;
            }
        }
    }

    fn empty(&self) -> Bits {
        vec![0; self.locals.div_ceil(64)]
    }

    /// What is live where a branch goes.
    fn label(&self, depth: u32) -> Bits {
        let block = self.blocks.len().checked_sub(1 + depth as usize).map(|i| &self.blocks[i]);
        match block {
            Some(block) if block.is_loop => {
                self.heads.get(&block.opener).cloned().unwrap_or_else(|| self.empty())
            }
            Some(block) => block.at_end.clone(),
            None => self.empty(),
        }
    }

    /// Adds what the clauses around need.
    fn join_clauses(&self, live: &mut Bits) {
        for block in self.blocks.iter().filter(|b| b.clauses_left == 0) {
            join(live, &block.at_clauses);
        }
    }

    /// One round. Whether a loop's head has changed.
    fn run(&mut self, mut found: Option<&mut Live>) -> bool {
        let mut changed = false;
        let mut live = self.empty();
        self.blocks.clear();
        for (i, event) in self.events.iter().enumerate().rev() {
            match event {
                Event::Get(local) => {
                    if (*local as usize) < self.locals {
                        live[*local as usize / 64] |= 1 << (local % 64);
                    }
                }
                Event::Set(local) => {
                    if (*local as usize) < self.locals {
                        live[*local as usize / 64] &= !(1 << (local % 64));
                    }
                }
                Event::Call(offset) => {
                    self.join_clauses(&mut live);
                    self.note(&mut found, *offset, &live);
                }
                Event::End => {
                    let (opener, clauses_left) =
                        self.opened.get(&i).copied().unwrap_or((usize::MAX, 0));
                    let mut at_clauses = self.empty();
                    if let Some(Event::TryTable(labels)) = self.events.get(opener) {
                        for label in labels {
                            join(&mut at_clauses, &self.label(*label));
                        }
                    }
                    if opener == usize::MAX {
                        live = self.empty();
                    }
                    let is_loop = matches!(self.events.get(opener), Some(Event::Loop(_)));
                    self.blocks.push(Block {
                        is_loop,
                        opener,
                        at_end: live.clone(),
                        at_else: None,
                        at_clauses,
                        clauses_left,
                    });
                }
                Event::Catch => {
                    if let Some(block) = self.blocks.last_mut() {
                        join(&mut block.at_clauses, &live);
                        block.clauses_left = block.clauses_left.saturating_sub(1);
                        live.clone_from(&block.at_end);
                    }
                }
                Event::Else => {
                    if let Some(block) = self.blocks.last_mut() {
                        let at_end = block.at_end.clone();
                        block.at_else = Some(std::mem::replace(&mut live, at_end));
                    }
                }
                Event::If => {
                    if let Some(block) = self.blocks.pop() {
                        join(&mut live, &block.at_else.unwrap_or(block.at_end));
                    }
                }
                Event::Open | Event::Try | Event::TryTable(_) => {
                    self.blocks.pop();
                }
                Event::Loop(offset) => {
                    self.blocks.pop();
                    self.join_clauses(&mut live);
                    let empty = self.empty();
                    let head = self.heads.entry(i).or_insert(empty);
                    changed |= join(head, &live);
                    live.clone_from(head);
                    self.note(&mut found, *offset, &live);
                }
                Event::Branch(depth) => live = self.label(*depth),
                Event::BranchIf(depth) => {
                    let label = self.label(*depth);
                    join(&mut live, &label);
                }
                Event::BranchTable(labels) => {
                    live = self.empty();
                    for label in labels {
                        let label = self.label(*label);
                        join(&mut live, &label);
                    }
                }
                Event::Throw => {
                    live = self.empty();
                    self.join_clauses(&mut live);
                }
                Event::Stop => live = self.empty(),
            }
        }
        changed
    }

    fn note(&mut self, found: &mut Option<&mut Live>, point: u64, live: &Bits) {
        let Some(found) = found else { return };
        let is_wanted = self.wanted.is_none_or(|wanted| wanted.binary_search(&point).is_ok());
        if self.listed > super::MAX_VALUES || !is_wanted {
            return;
        }
        let locals = 0..self.locals as u32;
        let list: Vec<_> = locals.filter(|l| live[*l as usize / 64] >> (l % 64) & 1 == 1).collect();
        self.listed += list.len();
        found.insert(point, list);
    }
}
