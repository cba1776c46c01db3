// Written by linnet compile; do not edit.
#[allow(unused_imports, reason = "not every module needs all")]
use linnet_embed::{
    Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,
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
        self.0.tag("oops").expect("exported")
    }

    /// The global "calls".
    pub fn r#calls(&self) -> Global {
        self.0.global("calls").expect("exported")
    }

    /// The table "table".
    pub fn r#table(&self) -> Table {
        self.0.table("table").expect("exported")
    }

    /// The memory "memory".
    pub fn r#memory(&self) -> Memory {
        self.0.memory("memory").expect("exported")
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#add(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call("add", &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i64, f64, f32) -> (f64, f32, i64)`
    pub fn r#mix(&self, p0: i64, p1: f64, p2: f32) -> Result<(f64, f32, i64)> {
        let results = self.0.call("mix", &[Value::I64(p0), Value::F64(p1), Value::F32(p2)])?;
        let mut results = results.into_iter();
        Ok((match results.next().expect("typed") { Value::F64(value) => value, _ => unreachable!("typed") }, match results.next().expect("typed") { Value::F32(value) => value, _ => unreachable!("typed") }, match results.next().expect("typed") { Value::I64(value) => value, _ => unreachable!("typed") }))
    }

    /// `(v128) -> (v128)`
    pub fn r#twice(&self, p0: u128) -> Result<u128> {
        let results = self.0.call("twice", &[Value::V128(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::V128(value) => value, _ => unreachable!("typed") })
    }

    /// `(externref) -> (externref)`
    pub fn r#same(&self, p0: Value) -> Result<Value> {
        let results = self.0.call("same", &[p0])?;
        let mut results = results.into_iter();
        Ok(results.next().expect("typed"))
    }

    /// `(i32) -> (i64)`
    pub fn r#logged(&self, p0: i32) -> Result<i64> {
        let results = self.0.call("logged", &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I64(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#grow(&self, p0: i32) -> Result<i32> {
        let results = self.0.call("grow", &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32, i32) -> (i32)`
    pub fn r#ratio(&self, p0: i32, p1: i32) -> Result<i32> {
        let results = self.0.call("ratio", &[Value::I32(p0), Value::I32(p1)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `(i32) -> (i32)`
    pub fn r#load(&self, p0: i32) -> Result<i32> {
        let results = self.0.call("load", &[Value::I32(p0)])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> ()`
    pub fn r#forever(&self) -> Result<()> {
        let results = self.0.call("forever", &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> ()`
    pub fn r#call_fail(&self) -> Result<()> {
        let results = self.0.call("call fail", &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> ()`
    pub fn r#throw(&self) -> Result<()> {
        let results = self.0.call("throw", &[])?;
        let _ = results;
        Ok(())
    }

    /// `() -> (i32)`
    pub fn r#__(&self) -> Result<i32> {
        let results = self.0.call("", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b(&self) -> Result<i32> {
        let results = self.0.call("a-b", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b_(&self) -> Result<i32> {
        let results = self.0.call("a_b", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#a_b_export(&self) -> Result<i32> {
        let results = self.0.call("a_b_export", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#self_(&self) -> Result<i32> {
        let results = self.0.call("self", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#loop(&self) -> Result<i32> {
        let results = self.0.call("loop", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#new_(&self) -> Result<i32> {
        let results = self.0.call("new", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#export_count(&self) -> Result<i32> {
        let results = self.0.call("export_count", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }

    /// `() -> (i32)`
    pub fn r#___(&self) -> Result<i32> {
        let results = self.0.call("*/", &[])?;
        let mut results = results.into_iter();
        Ok(match results.next().expect("typed") { Value::I32(value) => value, _ => unreachable!("typed") })
    }
}
