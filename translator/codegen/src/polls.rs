//! Where the functions of a program poll besides at loop heads and behind `setjmp`.
//!
//! A program must not run for long without a poll. Within a function only loops and `longjmp` go back. Calls can
//! do the same: recursion goes round as often as the stack is deep, and a function that calls itself twice, or
//! a chain of functions of which each calls the next one twice, takes exponential time. So some functions poll
//! where they begin:
//!
//! - in each cycle of direct calls one: that where a depth-first search comes back to;
//! - in each cycle through the table the function behind its entry: whoever is in the table and can come to an
//!   indirect call without a poll;
//! - whoever runs more than [`MOST`] bytes of code, with all that it calls, but for what polls itself.
//!
//! Then little runs on the way down. On the way back each frame of the stack runs what is behind its call. Where
//! that can be more than [`LONG`], a function polls behind calls too.

use crate::calls::Function;

/// Bytes of wasm that may run in a function and those below it without a poll.
const MOST: u64 = 4096;

/// The same below an entry of the table.
const MOST_BELOW_ENTRY: u64 = MOST / 8;

/// What a copy or fill of memory takes, as bytes of wasm. Long ones poll themselves.
const BULK: u64 = 1024;

/// What the frames of a deep stack may each run on the way back.
const LONG: u64 = 16384;

/// By places in the module's code section; empty for a module that does not poll.
#[derive(Default)]
pub(crate) struct Polls {
    imported: usize,
    functions: Vec<Poll>,
}

#[derive(Clone, Copy, Default)]
struct Poll {
    /// Whether the function polls where it begins.
    at_entry: bool,
    /// Bytes of wasm that run in it at most without a poll of a callee.
    weight: u64,
    /// Whether it can come to an indirect call without a poll.
    comes_to_table: bool,
    /// Whether nothing polls in it or below, but for loops.
    is_light: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

impl Polls {
    /// For a module whose `functions` follow on so many `imported` ones. Those that are `referenced` may be called
    /// through a table.
    pub(crate) fn find(functions: &[Function], imported: u32, referenced: &[u32]) -> Polls {
        let imported = imported as usize;
        let mut polls = Polls { imported, functions: vec![Poll::default(); functions.len()] };
        let mut in_table = vec![false; functions.len()];
        for function in referenced {
            if let Some(place) = polls.place(*function) {
                in_table[place] = true;
            }
        }
        let mut states = vec![State::New; functions.len()];
        // Each with the number of its next call.
        let mut path: Vec<(usize, usize)> = Vec::new();
        for root in 0..functions.len() {
            if states[root] == State::New {
                states[root] = State::Open;
                path.push((root, 0));
            }
            while let Some((place, next)) = path.last_mut() {
                let place = *place;
                let Some(callee) = functions[place].callees.get(*next) else {
                    states[place] = State::Done;
                    polls.finish(place, &functions[place], in_table[place]);
                    path.pop();
                    continue;
                };
                *next += 1;
                let Some(callee) = polls.place(*callee) else { continue };
                match states[callee] {
                    State::New => {
                        states[callee] = State::Open;
                        path.push((callee, 0));
                    }
                    State::Open => polls.functions[callee].at_entry = true,
                    State::Done => {}
                }
            }
        }
        polls
    }

    /// All callees are known, or poll.
    fn finish(&mut self, place: usize, function: &Function, in_table: bool) {
        let mut own = self.functions[place];
        own.weight = function.size + BULK * function.bulk + MOST_BELOW_ENTRY * function.indirect;
        own.comes_to_table = function.indirect > 0;
        own.is_light = function.indirect == 0;
        for callee in &function.callees {
            let Some(callee) = self.place(*callee) else { continue };
            let callee = self.functions[callee];
            own.is_light &= callee.is_light;
            if !callee.at_entry {
                own.weight = own.weight.saturating_add(callee.weight);
                own.comes_to_table |= callee.comes_to_table;
            }
        }
        let most = if in_table { MOST_BELOW_ENTRY } else { MOST };
        own.at_entry |= own.weight > most || (in_table && own.comes_to_table);
        own.is_light &= !own.at_entry;
        self.functions[place] = own;
    }

    fn place(&self, function: u32) -> Option<usize> {
        let place = (function as usize).checked_sub(self.imported)?;
        (place < self.functions.len()).then_some(place)
    }

    fn get(&self, function: u32) -> Option<&Poll> {
        self.functions.get(self.place(function)?)
    }

    /// Whether a function polls where it begins.
    pub(crate) fn at_entry(&self, function: u32) -> bool {
        self.get(function).is_some_and(|own| own.at_entry)
    }

    /// Whether a function polls behind a call; without a callee: through the table.
    pub(crate) fn behind_call(&self, function: u32, callee: Option<u32>) -> bool {
        let is_light = |callee| self.get(callee).is_none_or(|callee| callee.is_light);
        self.get(function).is_some_and(|own| own.weight > LONG) && !callee.is_some_and(is_light)
    }
}
