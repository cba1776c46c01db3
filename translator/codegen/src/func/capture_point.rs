//! Capture points: where a frame can be captured, and where one that was captured goes on.
//!
//! A call that may come to a capture gets a landing pad that writes what the frame still needs: the
//! operands, the live locals, what open clauses have caught. It hangs at the call as an exception
//! handler does, so that the code generator keeps these values somewhere without being told where, and
//! the code that runs when nobody captures is that of a call. Who captures enters the pad on a copy of
//! the frame; the frame itself is not touched.
//!
//! At a loop head the call of the libcall is behind a branch that is hardly ever taken and must
//! preserve every register, which no call with a handler does. The values are written before it, into
//! a stack slot of the frame.
//!
//! A function that has capture points is compiled a second time, to go on with a captured frame. It begins with a
//! jump to the block of the capture point, which loads the values and calls what goes on in the frame's place
//! above; behind that call the function is as it was. So that it can be entered there, its operands are
//! variables as the locals are.

use super::call::{Callee, TaggedHandler};
use super::locals::Local;
use super::{Abi, Translator, Variant, import_function};
use crate::frames::{self, CAPTURE_TAG, CapturePoint, MAX_VALUES, POLL_TAG, live};
use crate::libcall::CAPTURED_INDEX;
use crate::names::namespace;
use cranelift_codegen::FxHashMap;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockCall, DebugTag, ExceptionTag, InstBuilder, JumpTableData, MemFlagsData,
    Signature, StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::Variable;
use linnet_abi::context::offset;
use linnet_abi::frames::{Node, kind};
use linnet_abi::trap::Trap;
use std::mem::{offset_of, size_of};
use wasmparser::FunctionBody;

/// What a function with capture points needs while it is translated.
pub(super) struct CapturePoints {
    live: live::Live,
    found: Vec<CapturePoint>,
    values: usize,
    /// What the call that is about to be translated waits for, if it is a capture point.
    pending: Option<u32>,
    /// Common end of the landing pads.
    tail: Option<Block>,
    /// Where polls leave their values.
    slot: Option<StackSlot>,
    resume: Option<Resume>,
}

/// The same in the variant that goes on with a captured frame.
struct Resume {
    /// Jumps to the block of the capture point.
    dispatch: Block,
    node: Value,
    /// By the number of the capture point.
    blocks: Vec<Block>,
    operands: FxHashMap<(usize, Type), Variable>,
    /// The operand stack as the variables have it, in `block`.
    settled: Vec<Value>,
    block: Option<Block>,
}

/// A value that a frame needs.
#[derive(Clone, Copy)]
enum Item {
    Operand(usize),
    Variable(Variable),
    /// A local that is in memory.
    Local(u32, Type),
    Slot(StackSlot, i32),
}

struct Items {
    list: Vec<(Item, Type)>,
    /// Operands when the list was made.
    operands: Vec<Value>,
}

impl CapturePoints {
    pub(super) fn find(body: &FunctionBody, locals: usize) -> CapturePoints {
        CapturePoints {
            live: live::find(body, locals, None),
            found: Vec::new(),
            values: 0,
            pending: None,
            tail: None,
            slot: None,
            resume: None,
        }
    }
}

pub(super) fn words(ty: Type) -> u32 {
    ty.bytes().div_ceil(8)
}

/// Flags of an access to a record or a slot: a vector may lie at an odd word.
pub(super) fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Translator<'_, '_, '_, '_> {
    /// Whether frames can be captured while `function` runs.
    pub(super) fn is_capturable(&self, function: u32) -> bool {
        self.env.capturable.get(function as usize).copied().unwrap_or(false)
    }

    /// Begins the body. In the variant that goes on with a frame it begins elsewhere.
    pub(super) fn begin_capture_points(&mut self, body: &FunctionBody) {
        if !self.is_capturable(self.function) {
            return;
        }
        self.capture_points = Some(CapturePoints::find(body, self.locals.len()));
        self.init_return_slots();
        if self.variant == Variant::Call {
            return;
        }
        let (dispatch, body) = (self.b.create_block(), self.b.create_block());
        self.b.ins().jump(dispatch, &[]);
        self.b.switch_to_block(dispatch);
        self.b.seal_block(dispatch);
        let context = self.context();
        let node = self.b.ins().load(I64, flags(), context, offset::RECORD);
        let resume = Resume {
            dispatch,
            node,
            blocks: Vec::new(),
            operands: FxHashMap::default(),
            settled: Vec::new(),
            block: None,
        };
        // Nothing jumps to the beginning of the body; the jumps are written when all are known.
        self.b.seal_block(body);
        self.b.switch_to_block(body);
        if let Some(points) = &mut self.capture_points {
            points.resume = Some(resume);
        }
    }

    /// The call that comes next may come to a capture.
    pub(super) fn announce_capture_point(&mut self, kind: u32) {
        if let Some(points) = &mut self.capture_points {
            points.pending = Some(kind);
        }
    }

    /// What the call that is being translated waits for, if it is a capture point.
    pub(super) fn take_announced(&mut self) -> Option<u32> {
        self.capture_points.as_mut()?.pending.take()
    }

    /// What the frame needs at the current operator, or nothing if that is too much to be kept.
    fn items(&mut self) -> Option<Items> {
        let live = self.capture_points.as_ref()?.live.get(&self.offset)?;
        let operands = self.stack.clone();
        let mut list: Vec<_> = operands
            .iter()
            .enumerate()
            .map(|(i, value)| (Item::Operand(i), self.b.func.dfg.value_type(*value)))
            .collect();
        let locals = live.iter().map(|local| match self.locals[*local as usize] {
            Local::Variable(variable) => Item::Variable(variable),
            Local::Memory(_, _, ty) => Item::Local(*local, ty),
        });
        let caught = self.caught_variables().map(Item::Variable);
        for item in locals.chain(caught).collect::<Vec<_>>() {
            let ty = match item {
                Item::Variable(variable) => {
                    let value = self.b.use_var(variable);
                    self.b.func.dfg.value_type(value)
                }
                Item::Local(_, ty) => ty,
                _ => continue,
            };
            list.push((item, ty));
        }
        list.extend(
            self.return_slots().into_iter().map(|(slot, at, ty)| (Item::Slot(slot, at), ty)),
        );
        let points = self.capture_points.as_mut()?;
        if points.values + list.len() > MAX_VALUES {
            return None;
        }
        points.values += list.len();
        Some(Items { list, operands })
    }

    /// Number of a new capture point.
    fn number(&mut self, kind: u32, items: &Items, results: &[Type]) -> u32 {
        let point = CapturePoint {
            kind,
            values: items.list.iter().map(|(_, ty)| frames::value_type(*ty)).collect(),
            results: results.iter().map(|ty| frames::value_type(*ty)).collect(),
        };
        let Some(points) = &mut self.capture_points else { return 0 };
        points.found.push(point);
        points.found.len() as u32 - 1
    }

    fn operand(&mut self, i: usize, ty: Type) -> Option<Variable> {
        let resume = self.capture_points.as_mut()?.resume.as_mut()?;
        let b = &mut self.b;
        Some(*resume.operands.entry((i, ty)).or_insert_with(|| b.declare_var(ty)))
    }

    /// Stores the items from `address` on.
    fn store_items(&mut self, items: &Items, address: Value) {
        let mut at = 0;
        for (item, ty) in &items.list {
            let value = match *item {
                Item::Operand(i) => match self.operand(i, *ty) {
                    Some(variable) => self.b.use_var(variable),
                    None => items.operands[i],
                },
                Item::Variable(variable) => self.b.use_var(variable),
                Item::Local(local, _) => self.get_local(local),
                Item::Slot(slot, at) => self.b.ins().stack_load(I64, *ty, slot, at),
            };
            self.b.ins().store(flags(), value, address, at);
            at += 8 * words(*ty) as i32;
        }
    }

    /// A call of `kind` that may come to a capture, with the handlers that it has besides.
    pub(super) fn call_at_capture_point(
        &mut self,
        kind: u32,
        callee: Callee,
        args: &[Value],
        handlers: &[TaggedHandler],
    ) -> Vec<Value> {
        self.settle();
        let Some(items) = self.items() else {
            if handlers.is_empty() {
                return self.plain_call(callee, args);
            }
            return self.try_call(callee, args, handlers, &[]);
        };
        let returns = self.returns(callee);
        let point = self.number(kind, &items, &returns);
        let (pad, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(pad);
        let first_word = self.b.append_block_param(pad, I64);
        for ty in &returns {
            self.b.append_block_param(next, *ty);
        }
        let capture = (ExceptionTag::from_u32(CAPTURE_TAG | point), pad);
        self.invoke(callee, args, next, handlers, &[], Some(capture));
        // The runtime has the C convention.
        let abi = if kind == kind::CALL { Abi::Internal } else { Abi::Runtime };
        self.restore(&items, (&returns, abi), next, handlers, capture);
        self.b.seal_block(pad);
        self.b.switch_to_block(pad);
        self.store_items(&items, first_word);
        let tail = self.tail();
        self.b.ins().jump(tail, &[first_word.into()]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
        // The variables' own parameters come behind these.
        let results = self.b.block_params(next)[..returns.len()].to_vec();
        self.unsettle();
        results
    }

    /// The poll of a loop head, in a cold block, if it is a capture point: calls the runtime and goes on at
    /// `next`.
    pub(super) fn poll_at_capture_point(&mut self, next: Block) -> bool {
        let Some(items) = self.items() else { return false };
        let (context, handlers) = (self.context(), self.tagged_handlers());
        let point = self.number(kind::POLL, &items, &[]);
        let slot = self.poll_slot(&items);
        let address = self.b.ins().stack_addr(I64, slot, 0);
        self.store_items(&items, address);
        // Only its tag is wanted: who captures reads the slot.
        let unused = self.b.create_block();
        self.b.set_cold_block(unused);
        self.b.append_block_param(unused, I64);
        let capture = (ExceptionTag::from_u32(CAPTURE_TAG | POLL_TAG | point), unused);
        if handlers.is_empty() {
            let poll = self.poll_function(CallConv::PreserveAll);
            let call = self.b.ins().call(poll, &[context]);
            let tags = [DebugTag::User(capture.0.as_u32()), DebugTag::StackSlot(slot)];
            self.b.func.debug_tags.set(call, tags);
            self.b.ins().jump(next, &[]);
        } else {
            let poll = Callee::Direct(self.poll_function(CallConv::SystemV));
            self.invoke(poll, &[context], next, &handlers, &[], Some(capture));
        }
        self.restore(&items, (&[], Abi::Runtime), next, &handlers, capture);
        self.b.seal_block(unused);
        self.b.switch_to_block(unused);
        self.b.ins().trap(crate::trap::trap_code(Trap::Unreachable));
        true
    }

    fn poll_slot(&mut self, items: &Items) -> StackSlot {
        let known = self.capture_points.as_ref().and_then(|s| s.slot);
        let slot = known.unwrap_or_else(|| {
            let (kind, key) = (StackSlotKind::ExplicitSlot, frames::poll_slot());
            self.b.create_sized_stack_slot(StackSlotData::new_with_key(kind, 0, 3, key))
        });
        let size = items.list.iter().map(|(_, ty)| 8 * words(*ty)).sum();
        let data = &mut self.b.func.sized_stack_slots[slot];
        data.size = data.size.max(size);
        if let Some(points) = &mut self.capture_points {
            points.slot = Some(slot);
        }
        slot
    }

    /// Where the pads end.
    fn tail(&mut self) -> Block {
        if let Some(tail) = self.capture_points.as_ref().and_then(|s| s.tail) {
            return tail;
        }
        let tail = self.b.create_block();
        self.b.set_cold_block(tail);
        self.b.append_block_param(tail, I64);
        if let Some(points) = &mut self.capture_points {
            points.tail = Some(tail);
        }
        tail
    }

    /// In the variant that goes on with a frame: the way to `next` from a captured frame.
    fn restore(
        &mut self,
        items: &Items,
        (returns, abi): (&[Type], Abi),
        next: Block,
        handlers: &[TaggedHandler],
        capture: (ExceptionTag, Block),
    ) {
        let Some(node) =
            self.capture_points.as_ref().and_then(|s| s.resume.as_ref()).map(|r| r.node)
        else {
            return;
        };
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        self.b.switch_to_block(block);
        let mut at = size_of::<Node>() as i32;
        for (item, ty) in &items.list {
            let value = self.b.ins().load(*ty, flags(), node, at);
            at += 8 * words(*ty) as i32;
            match *item {
                Item::Operand(i) => {
                    if let Some(variable) = self.operand(i, *ty) {
                        self.b.def_var(variable, value);
                    }
                }
                Item::Variable(variable) => self.b.def_var(variable, value),
                Item::Local(local, _) => self.set_local(local, value),
                Item::Slot(slot, at) => {
                    self.b.ins().stack_store(I64, value, slot, at);
                }
            }
        }
        if capture.0.as_u32() & POLL_TAG != 0 {
            let slot = self.poll_slot(items);
            let address = self.b.ins().stack_addr(I64, slot, 0);
            self.store_items(items, address);
        }
        let code = self.b.ins().load(I64, flags(), node, offset_of!(Node, code) as i32);
        let inner = self.b.ins().load(I64, flags(), node, offset_of!(Node, next) as i32);
        let context = self.context();
        self.b.ins().store(flags(), inner, context, offset::RECORD);
        let mut signature = Signature::new(self.env.convention(abi));
        signature.params.push(AbiParam::new(I64));
        signature.returns.extend(returns.iter().map(|ty| AbiParam::new(*ty)));
        let signature = self.b.import_signature(signature);
        let callee = Callee::Indirect(signature, code);
        self.invoke(callee, &[context], next, handlers, &[], Some(capture));
        if let Some(resume) = self.capture_points.as_mut().and_then(|s| s.resume.as_mut()) {
            resume.blocks.push(block);
        }
    }

    /// Lets the variables of the operands hold the operand stack, and the operand stack hold what the
    /// variables have here if another block has begun.
    pub(super) fn settle(&mut self) {
        let Some(points) = &mut self.capture_points else { return };
        let Some(resume) = &mut points.resume else { return };
        if !self.reachable || self.frames.is_empty() {
            resume.block = None;
            return;
        }
        let block = self.b.current_block();
        let moved = resume.block != block;
        resume.block = block;
        let mut settled = std::mem::take(&mut resume.settled);
        settled.truncate(self.stack.len());
        for i in 0..self.stack.len() {
            let value = self.stack[i];
            let same = settled.get(i) == Some(&value);
            if same && !moved {
                continue;
            }
            let ty = self.b.func.dfg.value_type(value);
            let Some(variable) = self.operand(i, ty) else { continue };
            if same {
                self.stack[i] = self.b.use_var(variable);
            } else {
                self.b.def_var(variable, value);
            }
            if i < settled.len() {
                settled[i] = self.stack[i];
            } else {
                settled.push(self.stack[i]);
            }
        }
        if let Some(resume) = self.capture_points.as_mut().and_then(|s| s.resume.as_mut()) {
            resume.settled = settled;
        }
    }

    /// The operand stack is to be taken from the variables.
    pub(super) fn unsettle(&mut self) {
        if let Some(resume) = self.capture_points.as_mut().and_then(|s| s.resume.as_mut()) {
            resume.block = None;
        }
        self.settle();
    }

    /// Writes what all capture points share, and returns them.
    pub(super) fn end_capture_points(&mut self) -> Vec<CapturePoint> {
        let Some(CapturePoints { found, tail, resume, .. }) = self.capture_points.take() else {
            return Vec::new();
        };
        if let Some(tail) = tail {
            self.b.switch_to_block(tail);
            let first_word = self.b.block_params(tail)[0];
            let mut signature = Signature::new(CallConv::SystemV);
            signature.params.push(AbiParam::new(I64));
            let captured =
                import_function(self.b.func, namespace::LIBCALL, CAPTURED_INDEX, signature);
            self.b.ins().call(captured, &[first_word]);
            self.b.ins().trap(crate::trap::trap_code(Trap::Unreachable));
        }
        if let Some(Resume { dispatch, node, blocks, .. }) = resume {
            let wild = self.b.create_block();
            self.b.set_cold_block(wild);
            self.b.switch_to_block(wild);
            self.b.ins().trap(crate::trap::trap_code(Trap::Unreachable));
            self.b.switch_to_block(dispatch);
            let point = self.b.ins().load(I32, flags(), node, offset_of!(Node, point) as i32);
            let pool = &mut self.b.func.dfg.value_lists;
            let calls: Vec<_> = blocks.iter().map(|b| BlockCall::new(*b, [], pool)).collect();
            let default = BlockCall::new(wild, [], pool);
            let table = self.b.create_jump_table(JumpTableData::new(default, &calls));
            self.b.ins().br_table(point, table);
        }
        found
    }
}
