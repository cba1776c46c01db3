//! Exceptions.
//!
//! An exception in flight lives in the context: its tag and its payload. `throw` puts it there and
//! calls the runtime, which walks the frames to a call site whose handlers take the tag and goes on
//! at the handler's block. That block takes the exception out of the context at once, before another
//! one can overwrite it. A `throw` whose handler is in the same function is a jump.

use super::Translator;
use super::capture_point::words;
use super::control::{Kind, block_args};
use super::host_exceptions::HostTry;
use crate::error::{Error, Result};
use crate::libcall::Libcall;
use crate::trap::trap_code;
use cranelift_codegen::ir::types::{F32, I32, I64};
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::Variable;
use linnet_abi::context::{EXCEPTION_WORDS, offset};
use linnet_abi::trap::Trap;
use std::collections::VecDeque;
use wasmparser::{BlockType, Catch, FunctionBody, Operator, TryTable, ValType};

/// Tags and the blocks that take them; no tag: any.
pub(super) type Handlers = Vec<(Option<u32>, Block)>;

/// What an open block does about exceptions from inside.
pub(super) enum Catches {
    None,
    Handlers(Handlers),
    /// One block takes them all, see [`super::host_exceptions`].
    Dispatch(Block),
    /// Goes on at the block that many levels out.
    Delegate(u32),
}

/// State of an open `try`.
#[derive(Default)]
pub(super) struct Try {
    /// Blocks of the clauses that have not been reached.
    pub(super) clauses: std::collections::VecDeque<Block>,
    /// The exception of the current clause.
    pub(super) caught: Option<Held>,
    /// In a module that a host embeds, instead of the others.
    pub(super) host: Option<HostTry>,
}

/// An exception that an open clause has caught. The clause may be entered in its middle.
#[derive(Clone)]
pub(super) struct Held {
    tag: Variable,
    payload: Vec<Variable>,
}

impl Held {
    fn variables(&self) -> impl Iterator<Item = Variable> + '_ {
        std::iter::once(self.tag).chain(self.payload.iter().copied())
    }
}

pub(super) struct Caught {
    tag: Value,
    pub(super) payload: Vec<Value>,
}

/// What a `try` catches, found by reading ahead: calls in its body need to know.
#[derive(Default)]
pub(crate) struct TryClauses {
    pub(super) tags: Vec<Option<u32>>,
    pub(super) delegate: Option<u32>,
    /// Whether a clause raises its exception again.
    pub(super) rethrown: bool,
}

/// The clauses of every `try` of a function, in order of their beginnings.
pub(super) type Clauses = VecDeque<TryClauses>;

fn find_clauses(body: &FunctionBody) -> Result<Clauses> {
    let mut tries = VecDeque::new();
    // For every open block the number of its `try`, if it is one.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let operator = operators.read()?;
        let current = open.last().copied().flatten();
        let current: Option<&mut TryClauses> = current.and_then(|i| tries.get_mut(i));
        match operator {
            Operator::Try { .. } => {
                open.push(Some(tries.len()));
                tries.push_back(TryClauses::default());
            }
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => {
                open.push(None);
            }
            Operator::Catch { tag_index } => {
                if let Some(clauses) = current {
                    clauses.tags.push(Some(tag_index));
                }
            }
            Operator::CatchAll => {
                if let Some(clauses) = current {
                    clauses.tags.push(None);
                }
            }
            Operator::Rethrow { relative_depth } => {
                let level = open.len().checked_sub(1 + relative_depth as usize);
                let number = level.and_then(|level| open[level]);
                if let Some(clauses) = number.and_then(|i| tries.get_mut(i)) {
                    clauses.rethrown = true;
                }
            }
            Operator::Delegate { relative_depth } => {
                if let Some(clauses) = current {
                    clauses.delegate = Some(relative_depth);
                }
                open.pop();
            }
            Operator::End => {
                open.pop();
            }
            _ => {}
        }
    }
    Ok(tries)
}

impl<'a> Translator<'_, '_, 'a, '_> {
    pub(super) fn exception(
        &mut self,
        operator: &Operator<'a>,
        body: &FunctionBody<'a>,
    ) -> Result<bool> {
        match operator {
            Operator::Try { blockty } => {
                let clauses = self.next_clauses(body)?;
                self.environment().enter_try(self, *blockty, clauses)?;
            }
            Operator::TryTable { try_table } => {
                self.environment().enter_try_table(self, try_table)?;
            }
            Operator::Catch { tag_index } => self.catch(Some(*tag_index))?,
            Operator::CatchAll => self.catch(None)?,
            Operator::Delegate { .. } => self.end()?,
            Operator::Throw { tag_index } => self.environment().throw(self, *tag_index)?,
            Operator::Rethrow { relative_depth } => {
                self.environment().rethrow(self, *relative_depth)?;
            }
            Operator::ThrowRef => self.environment().throw_ref(self),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Who takes an exception of a call here: innermost first, nothing behind a catch-all.
    pub(super) fn handlers(&self) -> Handlers {
        let mut found = Handlers::new();
        let mut level = self.frames.len();
        while level > 0 {
            level -= 1;
            match &self.frames[level].catches {
                Catches::None | Catches::Dispatch(_) => {}
                Catches::Handlers(handlers) => {
                    for (tag, block) in handlers {
                        if found.iter().all(|f| f.0 != *tag) {
                            found.push((*tag, *block));
                        }
                        if tag.is_none() {
                            return found;
                        }
                    }
                }
                Catches::Delegate(depth) => level = level.saturating_sub(*depth as usize),
            }
        }
        found
    }

    pub(super) fn enter_context_try(&mut self, ty: BlockType, clauses: TryClauses) -> Result<()> {
        let TryClauses { tags, delegate, .. } = clauses;
        let (params, results) = self.block_type(ty)?;
        let handlers: Handlers = tags.into_iter().map(|tag| (tag, self.handler_block())).collect();
        let clauses = handlers.iter().map(|h| h.1).collect();
        let state = Try { clauses, ..Try::default() };
        self.push_frame(Kind::Try(state), params.len(), &results);
        self.top().catches = match delegate {
            Some(depth) => Catches::Delegate(depth),
            None => Catches::Handlers(handlers),
        };
        Ok(())
    }

    /// Passes over a `try` in unreachable code.
    pub(super) fn skip_try(&mut self, body: &FunctionBody<'a>) -> Result<()> {
        self.next_clauses(body).map(drop)
    }

    fn next_clauses(&mut self, body: &FunctionBody) -> Result<TryClauses> {
        let clauses = match &mut self.clauses {
            Some(clauses) => clauses,
            none => none.insert(find_clauses(body)?),
        };
        Ok(clauses.pop_front().unwrap_or_default())
    }

    /// Those of the exceptions that open clauses hold.
    pub(super) fn caught_variables(&self) -> impl Iterator<Item = Variable> + '_ {
        let held = self.frames.iter().filter_map(|frame| match &frame.kind {
            Kind::Try(state) => state.caught.as_ref(),
            _ => None,
        });
        held.flat_map(Held::variables)
    }

    pub(super) fn handler_block(&mut self) -> Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// Ends the body or the clause before, and begins a clause.
    pub(super) fn catch(&mut self, tag: Option<u32>) -> Result<()> {
        if !matches!(self.top().kind, Kind::Try(_)) {
            return Ok(());
        }
        self.jump_to_end();
        self.environment().catch(self, tag)
    }

    pub(super) fn catch_from_context(&mut self, tag: Option<u32>) -> Result<()> {
        let frame = self.top();
        frame.catches = Catches::None;
        let height = frame.height;
        let Kind::Try(state) = &mut frame.kind else { return Ok(()) };
        let Some(block) = state.clauses.pop_front() else {
            return Err(Error::new("a catch without its try"));
        };
        self.stack.truncate(height);
        // The body is over: no more calls jump here.
        self.b.seal_block(block);
        self.b.switch_to_block(block);
        self.reachable = true;
        let caught = self.take_exception(tag)?;
        if tag.is_some() {
            self.stack.extend(&caught.payload);
        }
        let held = self.hold(&caught);
        if let Kind::Try(state) = &mut self.top().kind {
            state.caught = Some(held);
        }
        Ok(())
    }

    fn hold(&mut self, caught: &Caught) -> Held {
        let mut hold = |value| {
            let variable = self.b.declare_var(self.b.func.dfg.value_type(value));
            self.b.def_var(variable, value);
            variable
        };
        Held { tag: hold(caught.tag), payload: caught.payload.iter().copied().map(hold).collect() }
    }

    /// Payload types of a tag; of any tag: all words.
    fn payload_types(&self, tag: Option<u32>) -> Result<Vec<Type>> {
        let Some(tag) = tag else { return Ok(vec![I64; EXCEPTION_WORDS]) };
        let types = self
            .env
            .clif_types(self.module.types[self.module.tags[tag as usize] as usize].params())?;
        let words: u32 = types.iter().map(|t| words(*t)).sum();
        if words as usize > EXCEPTION_WORDS {
            let message = format!(
                "an exception of {words} words is not supported, only of up to {EXCEPTION_WORDS}"
            );
            return Err(Error::new(message));
        }
        Ok(types)
    }

    /// A vector may lie at an odd word.
    fn exception_flags(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap().with_alias_region(Some(self.regions.context))
    }

    pub(super) fn take_exception(&mut self, tag: Option<u32>) -> Result<Caught> {
        let flags = self.exception_flags();
        let context = self.context();
        let mut payload = Vec::new();
        let mut at = offset::EXCEPTION;
        for ty in self.payload_types(tag)? {
            payload.push(self.b.ins().load(ty, flags, context, at));
            at += 8 * words(ty) as i32;
        }
        let tag = match tag {
            Some(tag) => self.b.ins().iconst(I64, i64::from(tag)),
            None => self.b.ins().load(I64, flags, context, offset::EXCEPTION_TAG),
        };
        Ok(Caught { tag, payload })
    }

    pub(super) fn put_exception(&mut self, exception: &Caught) {
        let flags = self.exception_flags();
        let context = self.context();
        self.b.ins().store(flags, exception.tag, context, offset::EXCEPTION_TAG);
        let mut at = offset::EXCEPTION;
        for value in &exception.payload {
            let value = if self.env.options.frames { self.whole_word(*value) } else { *value };
            self.b.ins().store(flags, value, context, at);
            at += 8 * words(self.b.func.dfg.value_type(value)) as i32;
        }
        // Who catches everything keeps all words, and they must be the same everywhere.
        let end = offset::EXCEPTION + 8 * EXCEPTION_WORDS as i32;
        if self.env.options.frames && at < end {
            let zero = self.b.ins().iconst(I64, 0);
            for at in (at..end).step_by(8) {
                self.b.ins().store(flags, zero, context, at);
            }
        }
    }

    /// Without what happens to be beside a value of 32 bits.
    fn whole_word(&mut self, value: Value) -> Value {
        match self.b.func.dfg.value_type(value) {
            I32 => self.b.ins().uextend(I64, value),
            F32 => {
                let bits = self.b.ins().bitcast(I32, MemFlagsData::new(), value);
                self.b.ins().uextend(I64, bits)
            }
            _ => value,
        }
    }

    pub(super) fn throw_by_context(&mut self, tag: u32) -> Result<()> {
        let count = self.payload_types(Some(tag))?.len();
        let payload = self.pop_many(count);
        let number = self.b.ins().iconst(I64, i64::from(tag));
        self.put_exception(&Caught { tag: number, payload });
        match self.handlers().into_iter().find(|h| h.0.is_none_or(|t| t == tag)) {
            Some((_, block)) => {
                self.b.ins().jump(block, &[]);
                self.reachable = false;
            }
            None => self.raise(),
        }
        Ok(())
    }

    pub(super) fn rethrow_by_context(&mut self, depth: u32) -> Result<()> {
        let index = self.frames.len() - 1 - depth as usize;
        let Kind::Try(Try { caught: Some(caught), .. }) = &self.frames[index].kind else {
            return Err(Error::new("rethrow outside of a catch"));
        };
        let held = caught.clone();
        let tag = self.b.use_var(held.tag);
        let payload = held.payload.iter().map(|v| self.b.use_var(*v)).collect();
        self.put_exception(&Caught { tag, payload });
        self.raise();
        Ok(())
    }

    /// Whether a reference can hold exceptions of that tag, or of any. It is the exception: its tag plus
    /// one, which is not 0, and in the low half what it carries. LLVM's exceptions carry one address.
    fn check_packed(&self, tag: Option<u32>) -> Result<()> {
        let mut tags = tag.map_or(0..self.module.tags.len() as u32, |tag| tag..tag + 1);
        let fits = |tag| {
            let params = self.module.types[self.module.tags[tag as usize] as usize].params();
            matches!(params, [] | [ValType::I32 | ValType::F32])
        };
        if tags.all(fits) {
            return Ok(());
        }
        let message =
            "a reference to an exception with more than one value of 32 bits is not supported";
        Err(Error::new(message))
    }

    fn pack(&mut self, caught: &Caught) -> Value {
        let tag = self.b.ins().iadd_imm_s(caught.tag, 1);
        let tag = self.b.ins().ishl_imm_u(tag, 32);
        let Some(value) = caught.payload.first() else { return tag };
        let value = self.whole_word(*value);
        let low = self.b.ins().band_imm_u(value, i64::from(u32::MAX));
        self.b.ins().bor(tag, low)
    }

    pub(super) fn throw_packed(&mut self) {
        let reference = self.pop();
        self.b.ins().trapz(reference, trap_code(Trap::NullReference));
        let tag = self.b.ins().ushr_imm_u(reference, 32);
        let tag = self.b.ins().iadd_imm_s(tag, -1);
        let value = self.b.ins().band_imm_u(reference, i64::from(u32::MAX));
        self.put_exception(&Caught { tag, payload: vec![value] });
        self.raise();
    }

    /// Raises the exception in the context.
    fn raise(&mut self) {
        let context = self.context();
        self.libcall(Libcall::throw, &[context]);
        // The libcall does not return.
        self.trap(Trap::Unreachable);
    }

    pub(super) fn enter_context_try_table(&mut self, table: &TryTable) -> Result<()> {
        let mut landings = Vec::new();
        for catch in &table.catches {
            let (tag, label, takes_reference) = match *catch {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            if takes_reference {
                self.check_packed(tag)?;
            }
            let block = self.handler_block();
            landings.push(Landing { tag, label, block, takes_reference });
        }
        let handlers = landings.iter().map(|l| (l.tag, l.block)).collect();
        let (params, results) = self.block_type(table.ty)?;
        self.push_frame(Kind::TryTable(landings), params.len(), &results);
        self.top().catches = Catches::Handlers(handlers);
        Ok(())
    }

    /// Writes the handlers of a `try_table` that has ended: they branch out of it.
    pub(super) fn land(&mut self, landings: &[Landing]) -> Result<()> {
        let height = self.stack.len();
        for landing in landings {
            self.b.seal_block(landing.block);
            self.b.switch_to_block(landing.block);
            let caught = self.take_exception(landing.tag)?;
            if landing.tag.is_some() {
                self.stack.extend(&caught.payload);
            }
            if landing.takes_reference {
                let reference = self.pack(&caught);
                self.push(reference);
            }
            let (target, args) = self.branch_target(landing.label);
            self.b.ins().jump(target, &block_args(&args));
            self.stack.truncate(height);
        }
        Ok(())
    }
}

/// A clause of a `try_table`.
pub(super) struct Landing {
    pub(super) tag: Option<u32>,
    pub(super) label: u32,
    pub(super) block: Block,
    pub(super) takes_reference: bool,
}
