//! Walks over frames that lie in plain memory, of functions whose code is never run.

use linnet_abi::module::{
    CallSite, Function, Handler, Module, REGISTER_FLOAT, SavedRegister, TAG_ANY, TrapSite,
};
use linnet_unwind::{CalleeSaved, Landing, Place, Position, Tables, Walk};
use std::mem;
use std::ptr;

/// Where the code would lie: one function behind the other, with a gap before the last.
const CODE: u64 = 0x10_0000;
const LEAF: u64 = CODE;
const MIDDLE: u64 = CODE + 0x100;
const OUTER: u64 = CODE + 0x300;
const HOST: u64 = CODE + 0x1000;

const TAG: u32 = 7;
const OTHER: u32 = 8;

/// Numbers of two callee-saved registers, and where [`CalleeSaved`] has them.
#[cfg(target_arch = "x86_64")]
const SAVED: [(u32, usize); 2] = [(3, 0), (15, 4)];
#[cfg(target_arch = "aarch64")]
const SAVED: [(u32, usize); 2] = [(19, 0), (REGISTER_FLOAT | 15, 17)];
#[cfg(target_arch = "riscv64")]
const SAVED: [(u32, usize); 2] = [(9, 0), (REGISTER_FLOAT | 27, 22)];

struct Code {
    functions: Vec<Function>,
    sites: Vec<CallSite>,
    handlers: Vec<Handler>,
    saved: Vec<SavedRegister>,
    traps: Vec<TrapSite>,
    names: &'static str,
}

fn function(start: u64, len: u32) -> Function {
    Function {
        start: ptr::without_provenance(start as usize),
        len,
        index: 0,
        name_offset: 0,
        name_len: 0,
        first_site: 0,
        site_count: 0,
        first_saved: 0,
        saved_count: 0,
        first_trap: 0,
        trap_count: 0,
        wasm_offset: 0,
        wide_site: u32::MAX,
    }
}

/// A leaf that saves a register and traps; one in the middle that saves another; an outer one, whose calls at
/// 0x20 and 0x40 take [`TAG`] and everything, and whose other code from 0x60 on takes [`OTHER`].
fn code() -> Code {
    let leaf = Function { saved_count: 1, trap_count: 2, name_len: 4, ..function(LEAF, 0x100) };
    let middle = Function {
        first_saved: 1,
        saved_count: 1,
        name_offset: 4,
        name_len: 6,
        ..function(MIDDLE, 0x100)
    };
    let outer = Function { site_count: 2, wide_site: 2, ..function(OUTER, 0x100) };
    let site = |offset, first_handler, handler_count| CallSite {
        offset,
        frame_size: 0x30,
        first_handler,
        handler_count,
    };
    Code {
        functions: vec![leaf, middle, outer],
        sites: vec![site(0x20, 0, 1), site(0x40, 1, 2), site(0x60, 3, 1)],
        handlers: vec![
            Handler { tag: TAG, offset: 0x80 },
            Handler { tag: OTHER, offset: 0x90 },
            Handler { tag: TAG_ANY, offset: 0xa0 },
            Handler { tag: OTHER, offset: 0xb0 },
        ],
        saved: SAVED.map(|(register, _)| SavedRegister { register, fp_offset: -8 }).to_vec(),
        traps: vec![TrapSite { offset: 4, code: 1 }, TrapSite { offset: 8, code: 3 }],
        names: "leafmiddle",
    }
}

impl Code {
    fn module(&self) -> Module {
        // SAFETY: null addresses and zeros are what a module without anything has.
        let empty: Module = unsafe { mem::zeroed() };
        Module {
            functions: self.functions.as_ptr(),
            function_count: self.functions.len() as u32,
            sites: self.sites.as_ptr(),
            handlers: self.handlers.as_ptr(),
            saved: self.saved.as_ptr(),
            traps: self.traps.as_ptr(),
            names: self.names.as_ptr(),
            ..empty
        }
    }
}

/// The frames of a leaf that the middle one called, which the outer one called at an offset, which the host
/// called. Each has a saved register, its caller's frame and where that goes on.
struct Stack {
    words: Box<[u64; 9]>,
}

const LEAF_SAVED: u64 = 0x1111;
const MIDDLE_SAVED: u64 = 0x2222;

impl Stack {
    fn new(outer_offset: u64) -> Stack {
        Stack {
            words: Box::new([
                LEAF_SAVED,
                0,
                MIDDLE + 0x10,
                MIDDLE_SAVED,
                0,
                OUTER + outer_offset,
                0,
                0,
                HOST,
            ]),
        }
    }

    /// The frame pointer of the frame whose caller's is word `at`.
    fn frame(&self, at: usize) -> u64 {
        self.words.as_ptr().expose_provenance() as u64 + 8 * at as u64
    }

    /// Where the leaf stands.
    fn link(&mut self) -> Position {
        self.words[1] = self.frame(4);
        self.words[4] = self.frame(7);
        Position { fp: self.frame(1), pc: LEAF + 0x50, saved: CalleeSaved::default() }
    }
}

/// Walks from the leaf's position, in code at `pc`.
fn walk(tag: u32, outer_offset: u64, pc: u64, is_return: bool) -> (Option<Landing>, Walk, Stack) {
    let code = code();
    let module = code.module();
    // SAFETY: the tables are whole.
    let tables = unsafe { Tables::of(&module) };
    let mut stack = Stack::new(outer_offset);
    let position = Position { pc, ..stack.link() };
    let mut walk = Walk { position, is_return };
    // SAFETY: the frames lie in `stack`.
    let landing = unsafe { walk.to_handler(tag, |pc, is_return| tables.find(pc, is_return)) };
    (landing, walk, stack)
}

fn check_registers(saved: &CalleeSaved) {
    let [(_, first), (_, second)] = SAVED;
    for (n, word) in saved.0.iter().enumerate() {
        let wanted = if n == first {
            LEAF_SAVED
        } else if n == second {
            MIDDLE_SAVED
        } else {
            0
        };
        assert_eq!(*word, wanted, "word {n}");
    }
}

#[test]
fn an_exception_lands_where_its_tag_is_taken_with_the_registers_of_that_frame() {
    let (landing, _, stack) = walk(TAG, 0x20, LEAF + 0x50, true);
    let landing = landing.expect("the outer function takes it");
    assert_eq!(landing.pad, OUTER + 0x80);
    assert_eq!((landing.fp, landing.sp), (stack.frame(7), stack.frame(7) - 0x30));
    check_registers(&landing.saved);
}

#[test]
fn the_first_handler_that_matches_takes_it() {
    let pad = |tag, offset| walk(tag, offset, LEAF + 0x50, true).0.map(|landing| landing.pad);
    assert_eq!(pad(OTHER, 0x40), Some(OUTER + 0x90));
    assert_eq!(pad(TAG, 0x40), Some(OUTER + 0xa0));
    assert_eq!(pad(OTHER, 0x20), None);
}

#[test]
fn code_without_a_handler_of_its_own_has_that_of_the_function() {
    let pad = |tag, offset| walk(tag, offset, LEAF + 0x50, true).0.map(|landing| landing.pad);
    assert_eq!(pad(OTHER, 0x61), Some(OUTER + 0xb0));
    assert_eq!(pad(TAG, 0x61), None);
    // Not before it may be used.
    assert_eq!(pad(OTHER, 0x5f), None);
    // Nor for a call that has handlers.
    assert_eq!(pad(OTHER, 0x20), None);
}

#[test]
fn an_instruction_that_was_interrupted_is_no_call() {
    let code = code();
    let module = code.module();
    // SAFETY: the tables are whole.
    let tables = unsafe { Tables::of(&module) };
    let at = |offset, is_return| tables.find(OUTER + offset, is_return).unwrap();
    assert!(at(0x40, true).handler(TAG).is_some());
    assert!(at(0x40, false).handler(TAG).is_none());
    assert_eq!(at(0x60, false).handler(OTHER), Some((0x30, OUTER + 0xb0)));
}

#[test]
fn a_walk_without_a_handler_ends_at_unknown_code() {
    let (landing, walk, stack) = walk(OTHER, 0x20, LEAF + 4, false);
    assert!(landing.is_none());
    assert_eq!((walk.position.pc, walk.position.fp), (HOST, stack.words[7]));
    assert!(walk.is_return);
    check_registers(&walk.position.saved);
}

#[test]
fn a_walk_from_unknown_code_stays_there() {
    let (landing, walk, mut stack) = walk(TAG, 0x20, HOST, false);
    assert!(landing.is_none() && !walk.is_return);
    assert_eq!(walk.position.pc, HOST);
    assert_eq!(stack.link().saved.0, walk.position.saved.0);
}

#[test]
fn code_is_found_by_its_addresses_and_a_return_address_by_the_call() {
    let code = code();
    let module = code.module();
    // SAFETY: the tables are whole.
    let tables = unsafe { Tables::of(&module) };
    let find = |pc, is_return| {
        let place = tables.find(pc, is_return)?;
        Some((place.number, place.offset))
    };
    assert_eq!(find(LEAF, false), Some((0, 0)));
    // A call that is the last instruction of its function returns to the next one.
    assert_eq!(find(MIDDLE, true), Some((0, 0x100)));
    assert_eq!(find(MIDDLE, false), Some((1, 0)));
    for nowhere in [0, LEAF - 1, MIDDLE + 0x100, OUTER - 1, OUTER + 0x100, u64::MAX] {
        assert_eq!(find(nowhere, false), None, "{nowhere:#x}");
    }
    assert_eq!(find(LEAF, true), None);
    assert_eq!(find(0, true), None);
}

#[test]
fn places_tell_traps_and_names() {
    let code = code();
    let module = code.module();
    // SAFETY: the tables are whole.
    let tables = unsafe { Tables::of(&module) };
    let trap = |pc| tables.find(pc, false).as_ref().and_then(Place::trap);
    assert_eq!([4, 5, 8].map(|offset| trap(LEAF + offset)), [Some(1), None, Some(3)]);
    assert_eq!(trap(OUTER + 4), None);
    let names: Vec<_> = tables.functions.iter().map(|f| tables.name(f)).collect();
    assert_eq!(names, ["leaf", "middle", ""]);
}

#[test]
fn a_module_without_code_has_nothing() {
    // SAFETY: null addresses and zeros are what a module without anything has.
    let module: Module = unsafe { mem::zeroed() };
    // SAFETY: the tables are empty.
    assert!(unsafe { Tables::of(&module) }.find(CODE, true).is_none());
}

#[test]
fn what_is_no_callee_saved_register_changes_none() {
    let mut saved = CalleeSaved::default();
    for register in [0, 1, 30, 31, REGISTER_FLOAT, REGISTER_FLOAT | 31, u32::MAX] {
        saved.set(register, 1);
    }
    assert!(saved.0.iter().all(|word| *word == 0));
}
