//! Blocks and branches.

use super::Translator;
use super::exception::{Catches, Landing, Try};
use crate::error::Result;
use crate::trap::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Type, Value};
use linnet_abi::trap::Trap;
use wasmparser::{BlockType, BrTable, FunctionBody, Operator};

/// Most runs of equal targets of a branch table that comparisons are made of.
const MAX_RUNS: usize = 4;

/// Entries of a branch table times its targets and what it takes along from which on each target gets a block of its
/// own: each variable that a target needs is looked for in all entries.
const MAX_TABLE_WORK: usize = 1 << 20;

/// A block of the function that is open.
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Where the block ends; its parameters are the block's results.
    pub(super) end: Block,
    pub(super) results: usize,
    /// Operands below the block's own.
    pub(super) height: usize,
    /// Whether anything jumps to `end`.
    pub(super) end_used: bool,
    /// Handlers for calls inside.
    pub(super) catches: Catches,
}

pub(super) enum Kind {
    /// Opened in unreachable code: nothing in it is translated.
    Dead,
    Block,
    Loop {
        head: Block,
        params: usize,
    },
    /// Until `else` was seen, with the block for the other case and the operands on entry.
    If {
        otherwise: Option<(Block, Vec<Value>)>,
    },
    /// A legacy `try`.
    Try(Try),
    TryTable(Vec<Landing>),
}

pub(super) fn block_args(values: &[Value]) -> Vec<BlockArg> {
    values.iter().map(|v| BlockArg::Value(*v)).collect()
}

impl<'a> Translator<'_, '_, 'a, '_> {
    pub(super) fn control(&mut self, operator: &Operator<'a>) -> Result<bool> {
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => self.trap(Trap::Unreachable),
            Operator::Block { blockty } => {
                let (params, results) = self.block_type(*blockty)?;
                self.push_frame(Kind::Block, params.len(), &results);
            }
            Operator::Loop { blockty } => self.enter_loop(*blockty)?,
            Operator::If { blockty } => self.enter_if(*blockty)?,
            Operator::Else => self.otherwise(),
            Operator::End => self.end()?,
            Operator::Br { relative_depth } => {
                let (target, args) = self.branch_target(*relative_depth);
                self.b.ins().jump(target, &block_args(&args));
                self.reachable = false;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop();
                let (target, args) = self.branch_target(*relative_depth);
                let next = self.b.create_block();
                self.b.ins().brif(condition, target, &block_args(&args), next, &[]);
                self.b.seal_block(next);
                self.b.switch_to_block(next);
            }
            Operator::BrTable { targets } => self.branch_table(targets)?,
            Operator::Return => {
                let results = self.frames[0].results;
                let values = self.stack[self.stack.len() - results..].to_vec();
                self.leave_pointer_spill();
                self.b.ins().return_(&values);
                self.reachable = false;
            }
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop();
                let otherwise = self.pop();
                let then = self.pop();
                let value = self.b.ins().select(condition, then, otherwise);
                self.push(value);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Follows the block structure of unreachable code.
    pub(super) fn skip(&mut self, operator: &Operator<'a>, body: &FunctionBody<'a>) -> Result<()> {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => {
                self.push_dead_frame();
            }
            Operator::Try { .. } => {
                self.skip_try(body)?;
                self.push_dead_frame();
            }
            Operator::Else => self.otherwise(),
            Operator::End => self.end()?,
            Operator::Catch { tag_index } => self.catch(Some(*tag_index))?,
            Operator::CatchAll => self.catch(None)?,
            Operator::Delegate { .. } => self.end()?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn trap(&mut self, trap: Trap) {
        self.b.ins().trap(trap_code(trap));
        self.reachable = false;
    }

    pub(super) fn block_type(&self, ty: BlockType) -> Result<(Vec<Type>, Vec<Type>)> {
        Ok(match ty {
            BlockType::Empty => (vec![], vec![]),
            BlockType::Type(result) => (vec![], vec![self.env.clif_type(result)?]),
            BlockType::FuncType(ty) => {
                let ty = &self.module.types[ty as usize];
                (self.env.clif_types(ty.params())?, self.env.clif_types(ty.results())?)
            }
        })
    }

    fn block_with_params(&mut self, params: &[Type]) -> Block {
        let block = self.b.create_block();
        for ty in params {
            self.b.append_block_param(block, *ty);
        }
        block
    }

    /// Opens a block whose `params` operands are on the stack.
    pub(super) fn push_frame(&mut self, kind: Kind, params: usize, results: &[Type]) {
        let end = self.block_with_params(results);
        let height = self.stack.len() - params;
        self.frames.push(Frame {
            kind,
            end,
            results: results.len(),
            height,
            end_used: false,
            catches: Catches::None,
        });
    }

    pub(super) fn push_function_frame(&mut self) -> Result<()> {
        let results = self.module.function_type(self.function).results();
        self.push_frame(Kind::Block, 0, &self.env.clif_types(results)?);
        Ok(())
    }

    fn push_dead_frame(&mut self) {
        let height = self.stack.len();
        // The function's own frame is always there; a dead frame's end is never used.
        let end = self.frames[0].end;
        self.frames.push(Frame {
            kind: Kind::Dead,
            end,
            results: 0,
            height,
            end_used: false,
            catches: Catches::None,
        });
    }

    fn enter_loop(&mut self, ty: BlockType) -> Result<()> {
        let (params, results) = self.block_type(ty)?;
        let head = self.block_with_params(&params);
        let args = self.stack[self.stack.len() - params.len()..].to_vec();
        self.b.ins().jump(head, &block_args(&args));
        self.b.switch_to_block(head);
        self.push_frame(Kind::Loop { head, params: params.len() }, params.len(), &results);
        let from = self.stack.len() - params.len();
        self.stack.truncate(from);
        self.stack.extend_from_slice(self.b.block_params(head));
        self.poll()
    }

    fn enter_if(&mut self, ty: BlockType) -> Result<()> {
        let condition = self.pop();
        let (params, results) = self.block_type(ty)?;
        let (then, otherwise) = (self.b.create_block(), self.b.create_block());
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
        self.b.seal_block(then);
        self.b.seal_block(otherwise);
        self.b.switch_to_block(then);
        let args = self.stack[self.stack.len() - params.len()..].to_vec();
        self.push_frame(Kind::If { otherwise: Some((otherwise, args)) }, params.len(), &results);
        Ok(())
    }

    fn otherwise(&mut self) {
        let frame = self.top();
        let Kind::If { otherwise } = &mut frame.kind else { return };
        let Some((block, args)) = otherwise.take() else { return };
        let height = frame.height;
        self.jump_to_end();
        self.stack.truncate(height);
        self.stack.extend(args);
        self.b.switch_to_block(block);
        self.reachable = true;
    }

    pub(super) fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("validated: an open block")
    }

    /// Leaves the innermost block's current arm with its results, if its end can be reached.
    pub(super) fn jump_to_end(&mut self) {
        if self.reachable {
            let frame = self.top();
            frame.end_used = true;
            let (end, results) = (frame.end, frame.results);
            let values = block_args(&self.stack[self.stack.len() - results..]);
            self.b.ins().jump(end, &values);
        }
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.jump_to_end();
        self.environment().end_block(self)?;
        let mut frame = self.frames.pop().expect("validated: an open block");
        match frame.kind {
            Kind::Dead => return Ok(()),
            // An `if` without `else` gives its operands back.
            Kind::If { otherwise: Some((block, args)) } => {
                self.b.switch_to_block(block);
                self.b.ins().jump(frame.end, &block_args(&args));
                frame.end_used = true;
            }
            Kind::Loop { head, .. } => self.b.seal_block(head),
            Kind::TryTable(landings) => {
                self.stack.truncate(frame.height);
                self.land(&landings)?;
            }
            Kind::Block | Kind::If { .. } | Kind::Try(_) => {}
        }
        self.stack.truncate(frame.height);
        self.reachable = frame.end_used;
        if !frame.end_used {
            return Ok(());
        }
        self.b.switch_to_block(frame.end);
        self.b.seal_block(frame.end);
        self.stack.extend_from_slice(self.b.block_params(frame.end));
        if self.frames.is_empty() {
            let values = self.stack.clone();
            self.leave_pointer_spill();
            self.b.ins().return_(&values);
        }
        Ok(())
    }

    /// Where a branch goes and what it takes along.
    pub(super) fn branch_target(&mut self, depth: u32) -> (Block, Vec<Value>) {
        let index = self.frames.len() - 1 - depth as usize;
        let frame = &mut self.frames[index];
        let (target, count) = match frame.kind {
            Kind::Loop { head, params } => (head, params),
            _ => {
                frame.end_used = true;
                (frame.end, frame.results)
            }
        };
        (target, self.stack[self.stack.len() - count..].to_vec())
    }

    fn branch_table(&mut self, targets: &BrTable) -> Result<()> {
        let index = self.pop();
        let depths = targets.targets().collect::<std::result::Result<Vec<_>, _>>()?;
        let mut runs: Vec<(u32, i64)> = Vec::new();
        for (at, depth) in depths.iter().copied().chain([targets.default()]).enumerate() {
            match runs.last() {
                Some((last, _)) if *last == depth => {}
                _ if runs.len() > MAX_RUNS => break,
                _ => runs.push((depth, at as i64)),
            }
        }
        if runs.len() <= MAX_RUNS {
            self.branch_runs(index, &runs);
        } else {
            self.jump_by_table(index, &depths, targets.default());
        }
        self.reachable = false;
        Ok(())
    }

    fn jump_by_table(&mut self, index: Value, depths: &[u32], default: u32) {
        let all = || depths.iter().copied().chain([default]);
        let mut distinct: Vec<u32> = all().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let carried: usize = distinct.iter().map(|depth| self.carried(*depth)).sum();
        let mut calls = Vec::with_capacity(depths.len() + 1);
        if (distinct.len() + carried) * depths.len() <= MAX_TABLE_WORK {
            for depth in all() {
                calls.push(self.branch_call(depth));
            }
            self.branch_by(index, &calls);
            return;
        }
        // By way of a block for each target, which alone has what the branch takes along.
        let blocks: Vec<Block> = distinct.iter().map(|_| self.b.create_block()).collect();
        for depth in all() {
            let at = distinct.partition_point(|known| *known < depth);
            calls.push(BlockCall::new(blocks[at], [], &mut self.b.func.dfg.value_lists));
        }
        self.branch_by(index, &calls);
        for (depth, block) in distinct.into_iter().zip(blocks) {
            self.b.seal_block(block);
            self.b.switch_to_block(block);
            let (target, args) = self.branch_target(depth);
            self.b.ins().jump(target, &block_args(&args));
        }
    }

    /// The last one is the default.
    fn branch_by(&mut self, index: Value, calls: &[BlockCall]) {
        let Some((default, calls)) = calls.split_last() else { return };
        let table = self.b.create_jump_table(JumpTableData::new(*default, calls));
        self.b.ins().br_table(index, table);
    }

    /// How many values a branch takes along.
    fn carried(&self, depth: u32) -> usize {
        let frame = &self.frames[self.frames.len() - 1 - depth as usize];
        match frame.kind {
            Kind::Loop { params, .. } => params,
            _ => frame.results,
        }
    }

    fn branch_call(&mut self, depth: u32) -> BlockCall {
        let (target, args) = self.branch_target(depth);
        BlockCall::new(target, block_args(&args), &mut self.b.func.dfg.value_lists)
    }

    /// A branch table by comparisons: each run of equal targets begins at an index of its own. LLVM makes
    /// a table of two cases, where a few comparisons are shorter than the jump by a table.
    fn branch_runs(&mut self, index: Value, runs: &[(u32, i64)]) {
        let [(first, _), rest @ ..] = runs else { return };
        let (target, args) = self.branch_target(*first);
        let args = block_args(&args);
        let [(second, at), more @ ..] = rest else {
            self.b.ins().jump(target, &args);
            return;
        };
        let is_first = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThan, index, *at);
        if more.is_empty() {
            let (last, last_args) = self.branch_target(*second);
            self.b.ins().brif(is_first, target, &args, last, &block_args(&last_args));
            return;
        }
        let next = self.b.create_block();
        self.b.ins().brif(is_first, target, &args, next, &[]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        self.branch_runs(index, rest);
    }
}
