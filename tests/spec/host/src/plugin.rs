// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
};

unsafe extern "C" {
    static linnet_module_plugin: RawModule;
}

/// The translated module.
#[must_use]
pub fn module() -> Module {
    // SAFETY: linked from the object that was written together with this file.
    unsafe { Module::from_raw(&linnet_module_plugin) }.expect("of this version")
}

/// An instance of it.
#[derive(Debug, Clone)]
pub struct Exports(pub Instance);

#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]
impl Exports {
    /// Makes an instance and runs its start function. It imports:
    ///
    /// * "env" "memory": a memory of 1 to 16 pages
    /// * "env" "table": a table of 2 to 8 funcref
    /// * "env" "print": (i32, i32) -> ()
    /// * "env" "ask": (i32) -> (i32)
    /// * "env" "oops": a tag (i32, f64)
    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {
        Instance::new(store, &module(), imports).map(Exports)
    }

    /// `() -> ()`
    pub fn r#hello(&self) -> Result<()> {
        let results = self.0.call_at(0, &[])?;
        let _ = results;
        Ok(())
    }

    /// `(i32) -> (i32)`
    pub fn r#ask(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(1, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> ()`
    pub fn r#boom(&self) -> Result<()> {
        let results = self.0.call_at(2, &[])?;
        let _ = results;
        Ok(())
    }

    /// `(i32) -> (i32)`
    pub fn r#caught(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(3, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> ()`
    pub fn r#throw(&self) -> Result<()> {
        let results = self.0.call_at(4, &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> ()`
    pub fn r#spin(&self) -> Result<()> {
        let results = self.0.call_at(5, &[])?;
        let _ = results;
        Ok(())
    }

    /// `(i32) -> ()`
    pub fn r#twice(&self, p0: i32) -> Result<()> {
        let results = self.0.call_at(6, &[Value::I32(p0)])?;
        let _ = results;
        Ok(())
    }

    /// `(i32) -> (i32)`
    pub fn r#thrice(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(7, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> ()`
    pub fn r#turn(&self, p0: i32) -> Result<()> {
        let results = self.0.call_at(8, &[Value::I32(p0)])?;
        let _ = results;
        Ok(())
    }

    /// `() -> (i32)`
    pub fn r#count(&self) -> Result<i32> {
        let results = self.0.call_at(9, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#grow(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(10, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#grow_table(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(11, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#call(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call_at(12, &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }
}
