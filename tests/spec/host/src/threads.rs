// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
};

unsafe extern "C" {
    static linnet_module_threads: RawModule;
}

/// The translated module.
#[must_use]
pub fn module() -> Module {
    // SAFETY: linked from the object that was written together with this file.
    unsafe { Module::from_raw(&linnet_module_threads) }.expect("of this version")
}

/// An instance of it.
#[derive(Debug, Clone)]
pub struct Exports(pub Instance);

#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]
impl Exports {
    /// Makes an instance and runs its start function. It imports:
    ///
    /// * "env" "memory": a memory of 1 to 2 pages
    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {
        Instance::new(store, &module(), imports).map(Exports)
    }

    /// `(i32) -> (i32)`
    pub fn r#wait(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(0, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#wake(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(1, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> ()`
    pub fn r#add(&self, p0: i32) -> Result<()> {
        let results = self.0.call_at(2, &[Value::I32(p0)])?;
        let _ = results;
        Ok(())
    }
}
