// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
};

unsafe extern "C" {
    static linnet_module_sample: RawModule;
}

/// The translated module.
#[must_use]
pub fn module() -> Module {
    // SAFETY: linked from the object that was written together with this file.
    unsafe { Module::from_raw(&linnet_module_sample) }.expect("of this version")
}

/// An instance of it.
#[derive(Debug, Clone)]
pub struct Exports(pub Instance);

#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]
impl Exports {
    /// Makes an instance and runs its start function. It imports:
    ///
    /// * "env" "log": (i32, i64) -> (i64)
    /// * "env" "fail": () -> ()
    /// * "env" "memory": a memory of 1 to 3 pages
    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {
        Instance::new(store, &module(), imports).map(Exports)
    }

    /// The tag "oops".
    pub fn r#oops(&self) -> Tag {
        match self.0.export_at(0) {
            Some(Extern::Tag(tag)) => tag,
            _ => unreachable!("exported"),
        }
    }

    /// The global "calls".
    pub fn r#calls(&self) -> Global {
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

    /// `(i32, i32) -> (i32)`
    pub fn r#add(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call_at(4, &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i64, f64, f32) -> (f64, f32, i64)`
    pub fn r#mix(&self, p0: i64, p1: f64, p2: f32) -> Result<(f64, f32, i64)> {
        let results = self.0.call_at(5, &[Value::I64(p0), Value::F64(p1), Value::F32(p2)])?;
        let mut results = results.into_iter();
        Ok((match results.next().expect("typed") { Value::F64(value) => value, _ => unreachable!("typed") }, match results.next().expect("typed") { Value::F32(value) => value, _ => unreachable!("typed") }, match results.next().expect("typed") { Value::I64(value) => value, _ => unreachable!("typed") }))
    }

    /// `(v128) -> (v128)`
    pub fn r#twice(&self, p0: u128) -> Result<u128> {
        let results = self.0.call_at(6, &[Value::V128(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::V128(value) => value, _ => unreachable!("typed") })
    }

    /// `(externref) -> (externref)`
    pub fn r#same(&self, p0: Value) -> Result<Value> {
        let results = self.0.call_at(7, &[p0])?;
        let mut results = results.into_iter();
        Ok(results.next().expect("typed"))
    }

    /// `(i32) -> (i64)`
    pub fn r#logged(&self, p0: i32) -> Result<i64> {
        let results = self.0.call_at(8, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I64(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#grow(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(9, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#ratio(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call_at(10, &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#load(&self, p0: i32) -> Result<i32> {
        let results = self.0.call_at(11, &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> ()`
    pub fn r#forever(&self) -> Result<()> {
        let results = self.0.call_at(12, &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> ()`
    pub fn r#call_fail(&self) -> Result<()> {
        let results = self.0.call_at(13, &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> ()`
    pub fn r#throw(&self) -> Result<()> {
        let results = self.0.call_at(14, &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> (i32)`
    pub fn r#__(&self) -> Result<i32> {
        let results = self.0.call_at(15, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b_(&self) -> Result<i32> {
        let results = self.0.call_at(16, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b(&self) -> Result<i32> {
        let results = self.0.call_at(17, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b_export(&self) -> Result<i32> {
        let results = self.0.call_at(18, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#self_(&self) -> Result<i32> {
        let results = self.0.call_at(19, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#loop(&self) -> Result<i32> {
        let results = self.0.call_at(20, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#new_(&self) -> Result<i32> {
        let results = self.0.call_at(21, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#export_count(&self) -> Result<i32> {
        let results = self.0.call_at(22, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#___(&self) -> Result<i32> {
        let results = self.0.call_at(23, &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }
}
