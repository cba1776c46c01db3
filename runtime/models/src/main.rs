//! Models of how the runtime's threads work together: its own source, as it stands, on atomics whose
//! accesses [shuttle] puts in many orders. Each test explores some thousands of them.
//!
//! What the source needs around it, the host above all, is in [`stage`]. Accesses are sequentially
//! consistent here, as the hand-over between vCPUs asks of the machine; weaker orders are not explored.

// The runtime's `core::sync::atomic` and `core::hint` shall be those of this crate.
extern crate self as core;

pub use std::{cell, clone, cmp, fmt, iter, marker, mem, ops, option, ptr};

pub mod sync {
    pub mod atomic {
        pub use shuttle::sync::atomic::*;
    }
}

pub mod hint {
    pub use shuttle::hint::spin_loop;
}

mod stage;
use stage::{arch, task, thread};

/// What ends the machine fails the model.
macro_rules! fatal {
    ($code:expr, $($message:tt)*) => { panic!($($message)*) };
}
use fatal;

// The runtime's source, where its own paths find it.
mod cpu {
    pub(crate) use crate::{deadline, thread};
}
mod host {
    pub(crate) use crate::lock;
    pub(crate) use crate::stage::{clock, signals, sys};

    pub(crate) mod exit {
        pub(crate) use crate::fatal;
    }
}
mod memory {
    pub(crate) use crate::stage::{layout, ram};
    pub(crate) use crate::{ids, range, slot_sharing, tlb};
}

#[path = "../../machine/src/cpu/deadline.rs"]
mod deadline;
#[path = "../../machine/src/memory/ids.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the runtime stands alone here")]
mod ids;
#[path = "../../machine/src/host/lock.rs"]
mod lock;
#[path = "../../machine/src/memory/range.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the runtime stands alone here")]
mod range;
#[path = "../../machine/src/cpu/slot.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the runtime stands alone here")]
mod slot;
#[path = "../../machine/src/memory/slot_sharing.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the runtime stands alone here")]
mod slot_sharing;
#[path = "../../machine/src/cpu/timer.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the runtime stands alone here")]
mod timer;
#[path = "../../machine/src/memory/tlb.rs"]
#[allow(
    unreachable_pub,
    unused_imports,
    dead_code,
    reason = "a part of the runtime stands alone here"
)]
mod tlb;
#[path = "../../machine/src/cpu/vcpu.rs"]
#[allow(
    unreachable_pub,
    unused_imports,
    dead_code,
    reason = "a part of the runtime stands alone here"
)]
mod vcpu;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use linnet_abi::irq;
    use linnet_abi::memory::SLOT_SIZE;

    use crate::host::lock::SpinLock;
    use crate::memory::ids::{MemoryId, MemoryIds};
    use crate::memory::layout::Layout;
    use crate::memory::range::{PageRange, RamPages};
    use crate::stage::{self, clock, ram, sys};
    use crate::sync::atomic::{AtomicU32, Ordering};
    use crate::task::Task;
    use crate::vcpu::Vcpu;
    use crate::{slot, slot_sharing, timer, tlb, vcpu};

    fn vcpu(number: u32) -> &'static Vcpu {
        vcpu::get(number).unwrap()
    }

    /// Fills one page of a memory with that of its number.
    fn fill(mm: MemoryId, page: u32) {
        let pages = RamPages::new(mm.number(), 1).unwrap();
        tlb::fill(page_of(mm, page), pages, true, false);
    }

    fn page_of(mm: MemoryId, page: u32) -> PageRange {
        PageRange::new(mm, page << ram::PAGE_SHIFT, 1).unwrap()
    }

    /// Some time that passes only when all wait.
    const LATER: u64 = 1 << 40;

    #[test]
    fn lock_admits_one_at_a_time() {
        stage::explore(1, 1000, || {
            let lock = Arc::new(SpinLock::new(0));
            let threads = [(); 3].map(|()| {
                let lock = lock.clone();
                stage::start(move || {
                    for _ in 0..2 {
                        let mut value = lock.lock();
                        let before = *value;
                        shuttle::thread::yield_now();
                        *value = before + 1;
                    }
                })
            });
            threads.into_iter().for_each(stage::Thread::join);
            assert_eq!(*lock.lock(), 6);
        });
    }

    #[test]
    fn memories_that_have_ended_are_taken_again_when_they_are_unmapped() {
        let mut ids = MemoryIds::new();
        assert_eq!([(); 4].map(|()| ids.alloc()), [1, 2, 3, 0]);
        assert_eq!([ids.retire(3), ids.retire(1)], [1, 2]);
        assert_eq!(ids.alloc(), 0);
        let retired = ids.take_retired();
        assert_eq!(retired.runs().collect::<Vec<_>>(), [1..2, 3..4]);
        assert_eq!(ids.take_retired().runs().count(), 0);
        ids.free(3);
        assert_eq!(ids.alloc(), 3);
    }

    /// Takes what is pending, as the kernel does.
    fn take(vcpu: u32) -> u32 {
        ram::pending(vcpu).swap(0, Ordering::SeqCst)
    }

    #[test]
    fn interrupt_wakes_an_idle_vcpu() {
        // The vCPU spins for a few looks at the clock, or sleeps at once.
        stage::explore(2, 20_000, || {
            let taken = Arc::new(AtomicU32::new(0));
            let counter = taken.clone();
            let idle = stage::start(move || {
                for _ in 0..3 {
                    while take(1) == 0 {
                        vcpu(1).sleep();
                    }
                    counter.fetch_add(1, Ordering::SeqCst);
                    sys::futex_wake(&counter, 1);
                }
            });
            for time in 0..3 {
                vcpu(1).interrupt(irq::RESCHEDULE);
                while taken.load(Ordering::SeqCst) == time {
                    sys::futex_wait(&taken, time, None);
                }
            }
            idle.join();
        });
    }

    #[test]
    fn interrupt_pokes_whoever_runs() {
        stage::explore(2, 1000, || {
            let vcpu = vcpu(1);
            let tasks = [Task::new(MemoryId::KERNEL), Task::new(MemoryId::KERNEL)];
            vcpu.set_current(tasks[0]);
            let busy = stage::start(move || {
                let mut switched = false;
                // Its time is over at any moment.
                while take(1) == 0 {
                    if !switched {
                        switched = true;
                        vcpu.set_current(tasks[1]);
                        vcpu.poke_if_pending(tasks[1]);
                    }
                    tasks[1].run();
                }
            });
            vcpu.interrupt(irq::RESCHEDULE);
            busy.join();
        });
    }

    /// One vCPU waits busily for its timer, another in its sleep, from which the first wakes it too
    /// early; then it waits busily as well.
    #[test]
    fn every_deadline_is_watched() {
        stage::explore(3, 1000, || {
            let timer = stage::start_rounds(timer::round);
            let first = Task::new(MemoryId::KERNEL);
            let second = Task::new(MemoryId::KERNEL);
            vcpu(1).set_current(first);
            vcpu(2).set_current(second);
            let busy = stage::start(move || {
                vcpu(1).set_timer(clock::monotonic() + LATER);
                vcpu(2).interrupt(irq::RESCHEDULE);
                while take(1) & irq::TIMER == 0 {
                    first.run();
                }
            });
            let idle = stage::start(move || {
                vcpu(2).set_timer(clock::monotonic() + LATER / 2);
                let mut pending = 0;
                while pending == 0 {
                    vcpu(2).sleep();
                    pending = take(2);
                }
                while pending & irq::TIMER == 0 {
                    second.run();
                    pending |= take(2);
                }
            });
            busy.join();
            idle.join();
            stage::end_rounds(timer);
        });
    }

    /// Pages of a memory are those of its number.
    fn sees_only_its_own(task: &Task) {
        let mm = task.mm.get();
        let slot = Layout::get().slots + SLOT_SIZE;
        for page in stage::mapped(slot, slot + SLOT_SIZE) {
            assert_eq!(page, u64::from(mm.number()), "{mm:?} sees pages of another");
        }
    }

    #[test]
    fn memories_share_a_slot() {
        stage::explore(2, 400_000, || {
            let threads = [1, 2, 3].map(|mm| {
                let mm = MemoryId::new(mm);
                slot_sharing::assign(mm, None);
                let task = Task::new(mm);
                stage::start(move || {
                    for page in 1..4 {
                        while !slot::enter(task) {
                            sys::sched_yield();
                        }
                        sees_only_its_own(task);
                        fill(mm, page);
                        sees_only_its_own(task);
                        shuttle::thread::yield_now();
                        slot::poll(task);
                        if task.slot.number().is_some() {
                            sees_only_its_own(task);
                            tlb::flush(page_of(mm, page));
                            slot::leave(task);
                        }
                    }
                    fill(mm, 1);
                })
            });
            threads.into_iter().for_each(stage::Thread::join);
            for mm in [1, 2, 3].map(MemoryId::new) {
                if let Some(_owner) = slot_sharing::hold(mm) {
                    tlb::flush_memory(mm);
                }
                slot_sharing::release(mm);
            }
        });
    }

    #[test]
    fn mappings_of_the_kernel_push_no_others_out() {
        stage::once(|| {
            let mm = MemoryId::new(1);
            slot_sharing::assign(mm, None);
            let task = Task::new(mm);
            while !slot::enter(task) {}
            fill(mm, 1);
            let behind = tlb::host(PageRange::behind_ram()) as u64 - Layout::get().slots;
            for page in 0..50_000 {
                let address = behind as u32 + ((page % 100) << ram::PAGE_SHIFT);
                let range = PageRange::new(MemoryId::KERNEL, address, 1).unwrap();
                tlb::fill(range, RamPages::new(7, 1).unwrap(), true, false);
            }
            fill(mm, 2);
            let slot = Layout::get().slots + SLOT_SIZE;
            assert_eq!(stage::mapped(slot, slot + SLOT_SIZE), [1, 1]);
            slot::leave(task);
            tlb::flush_memory(mm);
            slot_sharing::release(mm);
        });
    }

    /// Memories with slots of their own, and a budget that every fill exceeds: flushes of all of them meet
    /// fills, flushes of pages, and each other.
    #[test]
    fn over_budget_no_mapping_is_stale_and_none_is_counted_twice() {
        stage::explore_large(|| {
            tlb::init(tlb::HOST_DEFAULT, Some(3), 2);
            let memories = [1, 2, 3].map(MemoryId::new);
            let threads = memories.map(|mm| {
                stage::start(move || {
                    for page in 1..4 {
                        fill(mm, page);
                        tlb::flush(page_of(mm, page));
                        assert!(!is_mapped(mm, page), "page {page} of {mm:?} is stale");
                        fill(mm, page + 4);
                        tlb::protect(page_of(mm, page + 4));
                    }
                })
            });
            threads.into_iter().for_each(stage::Thread::join);
            tlb::flush_all();
            for mm in memories {
                assert!((1..8).all(|page| !is_mapped(mm, page)), "{mm:?} is counted as empty");
            }
            assert_eq!(tlb::total(), 0);
            tlb::init(tlb::HOST_DEFAULT, None, 2);
        });
    }

    /// The host refuses to unmap or to protect parts of mappings.
    #[test]
    fn a_refused_split_leaves_nothing_stale() {
        stage::explore_large(|| {
            let mm = MemoryId::new(1);
            stage::refuse_splits(true);
            for change in [tlb::flush, tlb::protect] {
                fill(mm, 1);
                fill(mm, 2);
                change(page_of(mm, 1));
                assert!(!is_mapped(mm, 1));
            }
            stage::refuse_splits(false);
            tlb::flush_all();
            assert_eq!(tlb::total(), 0);
        });
    }

    /// The host has room for fewer pages than the vCPUs want at once.
    #[test]
    fn a_refused_fill_gets_the_room_of_others() {
        stage::explore_large(|| {
            stage::map_no_more_than(2);
            let threads = [1, 2, 3].map(MemoryId::new).map(|mm| {
                stage::start(move || {
                    for page in 1..4 {
                        fill(mm, page);
                    }
                })
            });
            threads.into_iter().for_each(stage::Thread::join);
            tlb::flush_all();
            stage::map_no_more_than(usize::MAX);
            assert_eq!(tlb::total(), 0);
        });
    }

    fn is_mapped(mm: MemoryId, page: u32) -> bool {
        let start = tlb::host(page_of(mm, page)) as u64;
        !stage::mapped(start, start + 1).is_empty()
    }
}
