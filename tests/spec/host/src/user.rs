// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
};

unsafe extern "C" {
    static linnet_module_user: RawModule;
}

/// The translated module.
#[must_use]
pub fn module() -> Module {
    // SAFETY: linked from the object that was written together with this file.
    unsafe { Module::from_raw(&linnet_module_user) }.expect("of this version")
}

/// An instance of it.
#[derive(Debug, Clone)]
pub struct Exports(pub Instance);

#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]
impl Exports {
    /// Makes an instance and runs its start function. It imports:
    ///
    /// * "sample" "add": (i32, i32) -> (i32)
    /// * "sample" "memory": a memory of 1 or more pages
    /// * "sample" "calls": a mutable global i32
    /// * "sample" "table": a table of 1 or more funcref
    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {
        Instance::new(store, &module(), imports).map(Exports)
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#sum(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call_at(0, &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> ()`
    pub fn r#set_calls(&self, p0: i32) -> Result<()> {
        let results = self.0.call_at(1, &[Value::I32(p0)])?;
        let _ = results;
        Ok(())
    }
}
