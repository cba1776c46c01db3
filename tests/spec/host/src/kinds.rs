// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
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
        self.0.global("base").expect("exported")
    }

    /// The global "count".
    pub fn r#count(&self) -> Global {
        self.0.global("count").expect("exported")
    }

    /// The table "table".
    pub fn r#table(&self) -> Table {
        self.0.table("table").expect("exported")
    }

    /// The memory "memory".
    pub fn r#memory(&self) -> Memory {
        self.0.memory("memory").expect("exported")
    }

    /// The tag "tag".
    pub fn r#tag(&self) -> Tag {
        self.0.tag("tag").expect("exported")
    }

    /// The table "own".
    pub fn r#own(&self) -> Table {
        self.0.table("own").expect("exported")
    }

    /// The memory "second".
    pub fn r#second(&self) -> Memory {
        self.0.memory("second").expect("exported")
    }

    /// The global "ratio".
    pub fn r#ratio(&self) -> Global {
        self.0.global("ratio").expect("exported")
    }

    /// The global "lanes".
    pub fn r#lanes(&self) -> Global {
        self.0.global("lanes").expect("exported")
    }

    /// The global "function".
    pub fn r#function(&self) -> Global {
        self.0.global("function").expect("exported")
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#call(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call("call", &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#caught(&self, p0: i32) -> Result<i32> {
        let results = self.0.call("caught", &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }
}
