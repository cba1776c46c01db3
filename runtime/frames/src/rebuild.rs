//! From a record to native frames.
//!
//! A frame is rebuilt by code of its own function, which takes the values and calls what goes on in
//! place of the call that was captured. So the frames grow on the native stack in the order in which they
//! once did, and the innermost is a host function again, which gives what its call was to give.

use crate::Error;
use crate::arch::{self, Bits};
use crate::record::{Frame, Record};
use crate::tables::Tables;
use linnet_abi::context::Context;
use linnet_abi::frames::{CapturePoint, Function, Node, ValueType, kind};
use linnet_unwind::Position;

/// A host function that goes on: gives the bits of what its caller in the module awaits. Where another
/// frame of the module was called by it, [`HostNode::enter`] runs that one to its end first. `position` is
/// its caller, as [`capture`](crate::capture::capture) wants it.
pub type ResumeFrame =
    unsafe extern "C" fn(context: *mut Context, frame: &HostNode, position: &Position) -> u64;

/// A host frame that is being rebuilt.
#[repr(C)]
#[derive(Debug)]
pub struct HostNode {
    /// Its `capture point` is the host's number.
    node: Node,
    resume_frame: ResumeFrame,
    /// Whether the result is a float of 32 bits, whose high half must be ones in some registers.
    is_f32: u64,
    /// Whether the module's functions have the convention of tail calls.
    tail_calls: u64,
    words: u64,
}

impl HostNode {
    /// The host's number of the frame.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.node.point as u32
    }

    /// What the host wrote down.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        let first = (&raw const *self).wrapping_add(1).cast();
        // SAFETY: a plan has them behind it.
        unsafe { core::slice::from_raw_parts(first, self.words as usize) }
    }

    /// Whether the host function had called one of the module.
    #[must_use]
    pub fn has_inner(&self) -> bool {
        !self.node.code.is_null()
    }

    /// Runs the frame that the host function had called, to its end. What it gives.
    ///
    /// # Safety
    /// There must be one, and this be called once, by the host function that goes on.
    pub unsafe fn enter(&self, context: *mut Context) -> Bits {
        // SAFETY: the caller's promise; the plan lives until its last frame has begun.
        unsafe { arch::enter(context, self.node.code, self.node.next, self.tail_calls != 0) }
    }
}

/// Called by the code of a host node.
pub(crate) unsafe extern "C" fn resume_frame(
    context: *mut Context,
    node: *const HostNode,
    position: &Position,
) -> Bits {
    // SAFETY: a plan made the node.
    let node = unsafe { &*node };
    // The plan may be gone when the function returns.
    let is_f32 = node.is_f32 != 0;
    // SAFETY: the host gave the function for this.
    let result = unsafe { (node.resume_frame)(context, node, position) };
    let float = if is_f32 { result | 0xffff_ffff_0000_0000 } else { result };
    Bits { integer: result, float }
}

/// What the host brings to rebuild frames.
#[derive(Debug, Clone, Copy)]
pub struct Resume {
    /// Goes on with a host frame.
    pub resume_frame: ResumeFrame,
    /// Native stack that one host frame takes, and that is there for all, in bytes.
    pub host_frame: usize,
    pub stack: usize,
}

/// Frames that are ready to be rebuilt.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'p> {
    first: *const Node,
    code: *const u8,
    tail_calls: bool,
    _memory: &'p [u64],
}

/// Words of memory that a plan of `record` needs.
#[must_use]
pub fn plan_words(record: &Record<'_>) -> usize {
    let own = size_of::<HostNode>() / 8;
    record.frames().map(|frame| own + frame.words().len()).sum()
}

impl<'p> Plan<'p> {
    /// Checks that the module can have been in the state that `record` tells, and lays it out.
    ///
    /// # Errors
    /// It cannot, or there is not enough memory or stack.
    pub fn new(
        tables: &Tables<'_>,
        record: &Record<'_>,
        resume: Resume,
        memory: &'p mut [u64],
    ) -> Result<Plan<'p>, Error> {
        if memory.len() < plan_words(record) {
            return Err(Error::NoRoom);
        }
        let mut stack = 0_usize;
        let mut at = 0;
        let mut outer: Option<Outer<'_>> = None;
        let mut first = None;
        for (n, frame) in (0..).zip(record.frames()) {
            let own = Own::find(tables, &frame).ok_or(Error::NoSuchFrame(n))?;
            check_order(tables, outer, own).ok_or(Error::Order(n.saturating_sub(1)))?;
            let node = &raw mut memory[at];
            let (size, code) = match own {
                Some((function, point)) => {
                    check_values(tables, point, &frame).ok_or(Error::Value(n))?;
                    stack = stack.saturating_add(function.frame_size as usize);
                    (size_of::<Node>() / 8, function.resume)
                }
                None => {
                    stack = stack.saturating_add(resume.host_frame);
                    let is_f32 = outer.and_then(|o| tables.awaited(o.point?).next());
                    memory[at + 3] = resume.resume_frame as usize as u64;
                    memory[at + 4] = u64::from(is_f32 == Some(ValueType::F32));
                    memory[at + 5] = u64::from(tables.tail_calls());
                    memory[at + 6] = frame.words().len() as u64;
                    // A call through the table has the module's convention.
                    let by_module =
                        outer.and_then(|o| o.point).is_some_and(|point| point.kind == kind::CALL);
                    let code = match tables.tail_calls() && by_module {
                        true => arch::tail_host_node as *const u8,
                        false => arch::host_node as *const u8,
                    };
                    (size_of::<HostNode>() / 8, code)
                }
            };
            memory[at] = u64::from(frame.point);
            memory[at + 1] = 0;
            memory[at + 2] = 0;
            if let Some(outer) = outer {
                memory[outer.node + 1] = code as u64;
                memory[outer.node + 2] = node as u64;
            } else {
                first = Some((node.cast_const().cast::<Node>(), code));
            }
            for (to, word) in memory[at + size..].iter_mut().zip(frame.words()) {
                *to = word;
            }
            outer = Some(Outer { node: at, point: own.map(|o| o.1) });
            at += size + frame.words().len();
        }
        // The innermost frame is the host's: it gives a result.
        if outer.is_none_or(|o| o.point.is_some()) {
            return Err(Error::Order(record.count().saturating_sub(1)));
        }
        if stack > resume.stack {
            return Err(Error::Stack);
        }
        let Some((first, code)) = first else { return Err(Error::NotARecord) };
        Ok(Plan { first, code, tail_calls: tables.tail_calls(), _memory: memory })
    }

    /// Rebuilds the frames on the stack that this runs on, and lets them run to their end. What
    /// the outermost function gives.
    ///
    /// # Safety
    /// `context` must be one of the module with the state that belongs to the record, and the stack have
    /// the room that was said.
    pub unsafe fn run(self, context: *mut Context) -> Bits {
        // SAFETY: the caller's promise; the nodes are those of this plan.
        unsafe { arch::enter(context, self.code, self.first, self.tail_calls) }
    }
}

/// The frame that called the one that is looked at.
#[derive(Clone, Copy)]
struct Outer<'m> {
    /// Where its node is.
    node: usize,
    /// Nothing if it is the host's.
    point: Option<&'m CapturePoint>,
}

struct Own;

impl Own {
    /// Function and capture point of a frame; `Some(None)` for one of the host.
    fn find<'m>(
        tables: &Tables<'m>,
        frame: &Frame<'_>,
    ) -> Option<Option<(&'m Function, &'m CapturePoint)>> {
        let Some(index) = frame.function else { return Some(None) };
        let function = tables.function(index).filter(|f| !f.resume.is_null())?;
        let point = tables.point(function, frame.point)?;
        (frame.words().len() == point.words as usize).then_some(Some((function, point)))
    }
}

/// Whether the frame `outer` can have called this one.
fn check_order(
    tables: &Tables<'_>,
    outer: Option<Outer<'_>>,
    own: Option<(&Function, &CapturePoint)>,
) -> Option<()> {
    let fits = match (outer, own) {
        // Somebody must enter the module.
        (None, own) => own.is_some(),
        (Some(Outer { point: None, .. }), own) => own.is_some(),
        (Some(Outer { point: Some(point), .. }), Some((function, _))) => {
            let (given, awaited) = (tables.results(function), tables.awaited(point));
            // C programs drop a result that way, see the translator's indirect calls.
            let dropped = point.result_count == 0 && function.result_count == 1;
            point.kind == kind::CALL && (dropped || given.eq(awaited))
        }
        (Some(Outer { point: Some(point), .. }), None) => {
            let mut awaited = tables.awaited(point);
            awaited.next() != Some(ValueType::V128) && awaited.next().is_none()
        }
    };
    fits.then_some(())
}

/// Whether the words of a frame are values of its capture point.
fn check_values(tables: &Tables<'_>, point: &CapturePoint, frame: &Frame<'_>) -> Option<()> {
    let mut words = frame.words();
    for ty in tables.values(point) {
        for _ in 0..ty.words() {
            let word = words.next()?;
            if ty.is_half() && word >> 32 != 0 {
                return None;
            }
        }
    }
    words.next().is_none().then_some(())
}
