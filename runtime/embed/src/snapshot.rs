//! Instances that go back to an earlier state.

use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::items::{Global, Memory, Table};
use crate::prelude::*;
use crate::store::{MemoryOwner, TableOwner};
use crate::trap;
use alloc::sync::Arc;
use linnet_abi::instance::Slot;

/// What an instance had at some time: the contents of its memories, tables and globals, imported ones too.
#[derive(Debug)]
pub struct Snapshot {
    instance: Instance,
    /// Bytes of the instance's own block from its globals to its functions.
    block: Vec<u8>,
    /// With their sizes. The contents are in a file that the memory is a private copy of.
    memories: Vec<(Memory, u64)>,
    tables: Vec<(Table, Vec<u64>)>,
    /// Mutable globals that others have, too.
    globals: Vec<(Global, Slot)>,
}

impl Instance {
    /// Keeps what the instance has now, to go back to it often: [`Snapshot::restore`] takes a few microseconds and
    /// what the pages take that have been written since. A later snapshot of the same memories takes an earlier
    /// one's place.
    ///
    /// # Errors
    ///
    /// Other threads have one of the memories, or the host has no room.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut memories = Vec::new();
        for memory in self.memories() {
            let owner = owner(&memory)?;
            let failed = |cause| Error::Resources(format!("no snapshot of a memory: {cause}"));
            owner.reservation.lock().freeze().map_err(failed)?;
            let size = memory.size();
            memories.push((memory, size));
        }
        let elements = |table: Table| {
            // SAFETY: all tables are made by the store.
            let elements = unsafe { (*table.raw.cast::<TableOwner>()).elements.clone() };
            (table, elements)
        };
        // SAFETY: the handle keeps the store alive.
        let value = |global: Global| unsafe { (global.clone(), *global.slot) };
        Ok(Snapshot {
            instance: self.clone(),
            block: self.state().to_vec(),
            memories,
            tables: self.tables().map(elements).collect(),
            globals: self.imported_variables().map(value).collect(),
        })
    }
}

/// What owns a memory that no other thread has.
fn owner(memory: &Memory) -> Result<Arc<MemoryOwner>> {
    // The store's, and the one that is looked at.
    const OWN: usize = 2;
    let owner = memory.store.0.memory(memory.raw);
    let owner = owner.filter(|owner| Arc::strong_count(owner) == OWN);
    let reason = "a memory that other threads have cannot go back to an earlier state";
    owner.ok_or_else(|| Error::Type(reason.to_owned()))
}

impl Snapshot {
    /// Gives the instance what it had.
    ///
    /// # Errors
    ///
    /// Code of the store is active: a function of the host that it called asks. Or other threads have got one of the
    /// memories. Or the host has no room; the instance is of no use any more then.
    pub fn restore(&self) -> Result<()> {
        let store = self.instance.store();
        if trap::is_active(store) {
            return Err(Error::Type("code of the store is active".to_owned()));
        }
        for (memory, size) in &self.memories {
            let failed = |cause| Error::Resources(format!("a memory is lost: {cause}"));
            owner(memory)?.reservation.lock().restore().map_err(failed)?;
            // SAFETY: a live memory of this thread's alone.
            unsafe { (*memory.raw).size = *size };
        }
        for (table, elements) in &self.tables {
            // SAFETY: all tables are made by the store, and nothing else refers to one meanwhile.
            let owner = unsafe { &mut *table.raw.cast::<TableOwner>() };
            store.0.table_room.set(
                store.0.table_room.get() + owner.elements.len() as u64 - elements.len() as u64,
            );
            owner.elements.clear();
            owner.elements.extend_from_slice(elements);
            owner.raw.elements = owner.elements.as_mut_ptr();
            owner.raw.len = elements.len() as u64;
        }
        for (global, slot) in &self.globals {
            // SAFETY: the handle keeps the store alive.
            unsafe { *global.slot = *slot };
        }
        self.instance.set_state(&self.block);
        Ok(())
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
}
