// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
};

unsafe extern "C" {
    static linnet_module_kinds: RawModule;
}

/// The translated module.
#[must_use]
pub fn module() -> Module {
    // SAFETY: linked from the object that was written together with this file.
    unsafe { Module::from_raw(&linnet_module_kinds) }.expect("of this version")
}

/// An instance of it.
#[derive(Debug, Clone)]
pub struct Exports(pub Instance);

#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]
impl Exports {
    /// Makes an instance and runs its start function. It imports:
    ///
    /// * "host" "base": a global i32
    /// * "host" "count": a mutable global i64
    /// * "host" "table": a table of 2 to 8 funcref
    /// * "host" "memory": a memory of 1 or more pages
    /// * "host" "tag": a tag (i32)
    /// * "host" "double": (i32) -> (i32)
    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {
        Instance::new(store, &module(), imports).map(Exports)
    }

    /// The global "base".
    pub fn r#base(&self) -> Global {
        match self.0.export_at(0) {
            Some(Extern::Global(global)) => global,
            _ => unreachable!("exported"),
        }
    }

    /// The global "count".
    pub fn r#count(&self) -> Global {
        match self.0.export_at(1) {
            Some(Extern::Global(global)) => global,
            _ => unreachable!("exported"),
        }
    }

    /// The table "table".
    pub fn r#table(&self) -> Table {
        match self.0.export_at(2) {
            Some(Extern::Table(table)) => table,
            _ => unreachable!("exported"),
        }
    }

    /// The memory "memory".
    pub fn r#memory(&self) -> Memory {
        match self.0.export_at(3) {
            Some(Extern::Memory(memory)) => memory,
            _ => unreachable!("exported"),
        }
    }

    /// The tag "tag".
    pub fn r#tag(&self) -> Tag {
        match self.0.export_at(4) {
            Some(Extern::Tag(tag)) => tag,
            _ => unreachable!("exported"),
        }
    }

    /// The table "own".
    pub fn r#own(&self) -> Table {
        match self.0.export_at(5) {
            Some(Extern::Table(table)) => table,
            _ => unreachable!("exported"),
        }
    }

    /// The memory "second".
    pub fn r#second(&self) -> Memory {
        match self.0.export_at(6) {
            Some(Extern::Memory(memory)) => memory,
            _ => unreachable!("exported"),
        }
    }

    /// The global "ratio".
    pub fn r#ratio(&self) -> Global {
        match self.0.export_at(7) {
            Some(Extern::Global(global)) => global,
            _ => unreachable!("exported"),
        }
    }

    /// The global "lanes".
    pub fn r#lanes(&self) -> Global {
        match self.0.export_at(8) {
            Some(Extern::Global(global)) => global,
            _ => unreachable!("exported"),
        }
    }

    /// The global "function".
    pub fn r#function(&self) -> Global {
        match self.0.export_at(9) {
            Some(Extern::Global(global)) => global,
            _ => unreachable!("exported"),
        }
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#call(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call_at(10, &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#caught(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(11, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }
}
