//! Exceptions in modules that a host embeds.
//!
//! There an exception is an object with the address of its tag and its payload
//! (`linnet_abi::instance::Exception`): instances know each other's exceptions by it, and an `exnref` can
//! refer to it. A call has at most one handler, which takes all of them: the innermost block that catches
//! has a *dispatch* block, which gets the exception, compares the tags of its clauses, and passes what
//! none takes on to the dispatch of the block outside, or else raises it again.

use super::Translator;
use super::control::{Kind, block_args};
use super::exception::{Catches, Landing, Try, TryClauses};
use crate::error::{Error, Result};
use crate::libcall::Libcall;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use linnet_abi::instance::{PAYLOAD, Slot, offset};
use linnet_abi::trap::Trap;
use wasmparser::{BlockType, Catch, TryTable};

/// A clause of a legacy `try`.
pub(super) struct Clause {
    tag: Option<u32>,
    block: Block,
}

/// What an open legacy `try` of such a module needs.
#[derive(Default)]
pub(super) struct HostTry {
    /// The clauses that have not been reached, once the first one has been.
    clauses: std::collections::VecDeque<Clause>,
    tags: Vec<Option<u32>>,
    /// Whether a clause raises its exception again.
    rethrown: bool,
    /// The exception of the current clause.
    caught: Option<Value>,
}

impl Translator<'_, '_, '_, '_> {
    /// The block that gets the exceptions of a call here.
    pub(super) fn dispatch(&self) -> Option<Block> {
        self.dispatch_below(self.frames.len())
    }

    fn dispatch_below(&self, mut level: usize) -> Option<Block> {
        while level > 0 {
            level -= 1;
            match &self.frames[level].catches {
                Catches::Dispatch(block) => return Some(*block),
                Catches::Delegate(depth) => level = level.saturating_sub(*depth as usize),
                Catches::None | Catches::Handlers(_) => {}
            }
        }
        None
    }

    fn block_with_exception(&mut self) -> Block {
        let block = self.handler_block();
        self.b.append_block_param(block, I64);
        block
    }

    pub(super) fn enter_host_try(&mut self, ty: BlockType, clauses: TryClauses) -> Result<()> {
        let TryClauses { tags, delegate, rethrown, .. } = clauses;
        let (params, results) = self.block_type(ty)?;
        let host = HostTry { tags, rethrown, ..HostTry::default() };
        let state = Try { host: Some(host), ..Try::default() };
        self.push_frame(Kind::Try(state), params.len(), &results);
        self.top().catches = match delegate {
            Some(depth) => Catches::Delegate(depth),
            None => {
                let dispatch = self.block_with_exception();
                Catches::Dispatch(dispatch)
            }
        };
        Ok(())
    }

    /// Writes the dispatch of the innermost frame, whose body is over.
    fn write_dispatch(&mut self, dispatch: Block, tags: &[Option<u32>]) -> Vec<Clause> {
        let level = self.frames.len() - 1;
        self.b.seal_block(dispatch);
        self.b.switch_to_block(dispatch);
        let exception = self.b.block_params(dispatch)[0];
        let flags = self.exception_fields();
        let thrown = self.b.ins().load(I64, flags, exception, offset::EXCEPTION_TAG);
        let mut clauses = Vec::new();
        let mut is_open = true;
        for tag in tags {
            let block = self.block_with_exception();
            clauses.push(Clause { tag: *tag, block });
            if !is_open {
                continue;
            }
            match tag {
                Some(tag) => {
                    let own = self.tag_address(*tag);
                    let same = self.b.ins().icmp(IntCC::Equal, thrown, own);
                    let next = self.b.create_block();
                    self.b.ins().brif(same, block, &[exception.into()], next, &[]);
                    self.b.seal_block(next);
                    self.b.switch_to_block(next);
                }
                None => {
                    self.b.ins().jump(block, &[exception.into()]);
                    is_open = false;
                }
            }
        }
        if is_open {
            let outside = self.dispatch_below(level);
            self.pass_on(exception, outside);
        }
        for clause in &clauses {
            self.b.seal_block(clause.block);
        }
        clauses
    }

    /// Ends the current block: the exception goes to `dispatch`, or to the caller.
    fn pass_on(&mut self, exception: Value, dispatch: Option<Block>) {
        match dispatch {
            Some(block) => {
                self.b.ins().jump(block, &[BlockArg::Value(exception)]);
            }
            None => {
                let context = self.context();
                self.libcall(Libcall::instance_throw, &[context, exception]);
                // The libcall does not return.
                self.b.ins().trap(crate::trap::trap_code(Trap::Unreachable));
            }
        }
    }

    /// Begins a clause of a legacy `try`. The body or the clause before has ended.
    pub(super) fn catch_host_exception(&mut self) -> Result<()> {
        let frame = self.top();
        let height = frame.height;
        let catches = std::mem::replace(&mut frame.catches, Catches::None);
        if let Catches::Dispatch(dispatch) = catches {
            let Some(tags) = self.host_try().map(|t| std::mem::take(&mut t.tags)) else {
                return Ok(());
            };
            let clauses = self.write_dispatch(dispatch, &tags);
            if let Some(host) = self.host_try() {
                host.clauses = clauses.into();
            }
        }
        let Some(host) = self.host_try() else { return Ok(()) };
        let rethrown = host.rethrown;
        let Some(clause) = host.clauses.pop_front() else {
            return Err(Error::new("a catch without its try"));
        };
        self.stack.truncate(height);
        self.b.switch_to_block(clause.block);
        self.reachable = true;
        let exception = self.b.block_params(clause.block)[0];
        if let Some(tag) = clause.tag {
            self.push_payload(exception, tag)?;
        }
        if !rethrown {
            self.free(exception);
        }
        if let Some(host) = self.host_try() {
            host.caught = Some(exception);
        }
        Ok(())
    }

    /// Ends a legacy `try` that has no clause.
    pub(super) fn end_host_try(&mut self) {
        let catches = std::mem::replace(&mut self.top().catches, Catches::None);
        if let Catches::Dispatch(dispatch) = catches {
            self.write_dispatch(dispatch, &[]);
        }
    }

    fn host_try(&mut self) -> Option<&mut HostTry> {
        match &mut self.top().kind {
            Kind::Try(Try { host, .. }) => host.as_mut(),
            _ => None,
        }
    }

    fn exception_fields(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.context))
    }

    fn push_payload(&mut self, exception: Value, tag: u32) -> Result<()> {
        let flags = self.exception_fields();
        let ty = self.module.tags[tag as usize];
        let mut at = PAYLOAD as i32;
        for ty in self.env.clif_types(self.module.types[ty as usize].params())? {
            let value = self.b.ins().load(ty, flags, exception, at);
            self.push(value);
            at += size_of::<Slot>() as i32;
        }
        Ok(())
    }

    fn free(&mut self, exception: Value) {
        let context = self.context();
        self.libcall(Libcall::instance_exception_free, &[context, exception]);
    }

    pub(super) fn throw_new(&mut self, tag: u32) -> Result<()> {
        let ty = self.module.tags[tag as usize];
        let count = self.module.types[ty as usize].params().len();
        let payload = self.pop_many(count);
        let address = self.tag_address(tag);
        let context = self.context();
        let exception = self.libcall(Libcall::instance_exception_new, &[context, address]);
        let Some(exception) = exception else { return Ok(()) };
        let flags = self.exception_fields();
        let mut at = PAYLOAD as i32;
        for value in payload {
            self.b.ins().store(flags, value, exception, at);
            at += size_of::<Slot>() as i32;
        }
        self.raise_exception(exception);
        Ok(())
    }

    pub(super) fn throw_reference(&mut self) {
        let exception = self.pop();
        self.trap_if_null(exception);
        self.raise_exception(exception);
    }

    pub(super) fn rethrow_caught(&mut self, depth: u32) -> Result<()> {
        let index = self.frames.len() - 1 - depth as usize;
        let Kind::Try(Try { host: Some(HostTry { caught: Some(exception), .. }), .. }) =
            self.frames[index].kind
        else {
            return Err(Error::new("rethrow outside of a catch"));
        };
        self.raise_exception(exception);
        Ok(())
    }

    fn raise_exception(&mut self, exception: Value) {
        let dispatch = self.dispatch();
        self.pass_on(exception, dispatch);
        self.reachable = false;
    }

    pub(super) fn enter_host_try_table(&mut self, table: &TryTable) -> Result<()> {
        let mut landings = Vec::new();
        for catch in &table.catches {
            let (tag, label, takes_reference) = match *catch {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            // Of a dispatch all blocks are the same until it is written.
            let block = self.frames[0].end;
            landings.push(Landing { tag, label, block, takes_reference });
        }
        let (params, results) = self.block_type(table.ty)?;
        let is_catching = !landings.is_empty();
        self.push_frame(Kind::TryTable(landings), params.len(), &results);
        if is_catching {
            let dispatch = self.block_with_exception();
            self.top().catches = Catches::Dispatch(dispatch);
        }
        Ok(())
    }

    /// Writes dispatch and clauses of a `try_table` that has ended but is still the innermost frame.
    pub(super) fn land_host_exceptions(&mut self) -> Result<()> {
        let frame = self.top();
        let catches = std::mem::replace(&mut frame.catches, Catches::None);
        let (Catches::Dispatch(dispatch), Kind::TryTable(landings)) = (catches, &mut frame.kind)
        else {
            return Ok(());
        };
        let landings = std::mem::take(landings);
        let height = frame.height;
        self.stack.truncate(height);
        let tags: Vec<_> = landings.iter().map(|l| l.tag).collect();
        let clauses = self.write_dispatch(dispatch, &tags);
        for (clause, landing) in clauses.iter().zip(&landings) {
            self.b.switch_to_block(clause.block);
            let exception = self.b.block_params(clause.block)[0];
            if let Some(tag) = clause.tag {
                self.push_payload(exception, tag)?;
            }
            if landing.takes_reference {
                let flags = self.exception_fields();
                let one = self.b.ins().iconst(I64, 1);
                self.b.ins().store(flags, one, exception, offset::EXCEPTION_ESCAPED);
                self.push(exception);
            } else {
                self.free(exception);
            }
            // Labels count from outside of the `try_table`.
            let (target, args) = self.branch_target(landing.label + 1);
            self.b.ins().jump(target, &block_args(&args));
            self.stack.truncate(height);
        }
        Ok(())
    }
}
