//! Calls that end although they would go on: another thread wants it, or a budget is used up.
//!
//! Code that was translated to be interrupted looks at the poll word of its instance in every loop and in every
//! cycle of calls. It calls [`polled`] if the word is not 0.

use crate::host::lock::Lock;
use crate::libcall;
use crate::store::{Inner, Store};
use crate::trap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use linnet_abi::instance::{Instance, MoreTrap};

/// What a store shares with threads that may interrupt it.
pub(crate) struct State {
    is_wanted: AtomicBool,
    /// Addresses of the poll words of all instances; none when the store is gone.
    words: Lock<Vec<usize>>,
}

impl State {
    pub(crate) fn new() -> Arc<State> {
        Arc::new(State { is_wanted: AtomicBool::new(false), words: Lock::new(Vec::new()) })
    }

    fn set_all(words: &[usize], value: u32) {
        for word in words {
            // SAFETY: they are there as long as the instance is; translated code only reads them.
            unsafe { AtomicU32::from_ptr(*word as *mut u32) }.store(value, Ordering::SeqCst);
        }
    }

    /// Takes the word of a new instance into account.
    ///
    /// # Safety
    /// It must live until [`State::close`].
    pub(crate) unsafe fn add(&self, word: *mut u32, has_budget: bool) {
        let mut words = self.words.lock();
        words.push(word as usize);
        let is_wanted = has_budget || self.is_wanted.load(Ordering::SeqCst);
        State::set_all(&[word as usize], u32::from(is_wanted));
    }

    /// The instances go away.
    pub(crate) fn close(&self) {
        self.words.lock().clear();
    }

    /// Sets all words to what they should be.
    fn set(&self, has_budget: bool) {
        let words = self.words.lock();
        let is_wanted = has_budget || self.is_wanted.load(Ordering::SeqCst);
        State::set_all(&words, u32::from(is_wanted));
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::SeqCst)
    }
}

/// Interrupts what runs in a store, from any thread.
#[derive(Clone)]
pub struct Interrupter(Arc<State>);

impl Debug for Interrupter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Interrupter({:p})", Arc::as_ptr(&self.0))
    }
}

impl Interrupter {
    /// Ends the call that runs in the store with the trap [`MoreTrap::Interrupted`]; if none runs, the next one,
    /// unless [`Store::clear_interrupt`] comes first. A function of the host that runs meanwhile is not
    /// interrupted. Modules must have been translated with `--interruptible`; a wait for another thread ends in
    /// any case.
    pub fn interrupt(&self) {
        {
            let words = self.0.words.lock();
            self.0.is_wanted.store(true, Ordering::SeqCst);
            State::set_all(&words, 1);
        }
        libcall::interrupt_waits(&self.0);
    }
}

impl Inner {
    /// Forgets an interruption that has not happened yet.
    pub(crate) fn clear_interrupt(&self) {
        self.interrupt.is_wanted.store(false, Ordering::SeqCst);
        self.interrupt.set(self.budget.get().is_some());
    }
}

impl Store {
    /// What another thread needs to interrupt this store.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter(self.0.interrupt.clone())
    }

    /// Forgets an interruption that has not happened yet.
    pub fn clear_interrupt(&self) {
        self.0.clear_interrupt();
    }

    /// Lets code of this store poll so many times, all calls together: once for each turn of a loop, and where
    /// functions call each other in a circle. What polls more ends with the trap [`MoreTrap::BudgetUsedUp`], and
    /// so does each later call until there is a new budget. The same code always takes the same number. None:
    /// there is no limit.
    pub fn set_budget(&self, polls: Option<u64>) {
        self.0.budget.set(polls);
        self.0.interrupt.set(polls.is_some());
    }

    /// What is left of the budget.
    #[must_use]
    pub fn budget(&self) -> Option<u64> {
        self.0.budget.get()
    }
}

/// Translated code polls, and its poll word is set. `fp` is the frame of the stub that calls this.
pub(crate) extern "C" fn polled(instance: *mut Instance, fp: u64) {
    trap::check_stack();
    // SAFETY: only translated code polls, with its own instance; a store outlives the code of its instances.
    let store = unsafe { &*(*instance).host.cast::<Inner>() };
    if store.interrupt.is_wanted() {
        store.clear_interrupt();
        trap::raise_behind(MoreTrap::Interrupted as u8, fp);
    }
    match store.budget.get() {
        None => store.interrupt.set(false),
        Some(0) => trap::raise_behind(MoreTrap::BudgetUsedUp as u8, fp),
        Some(left) => store.budget.set(Some(left - 1)),
    }
}
