//! A host in Rust; prints what `../embed/host.c` prints. The modules beside this file are what
//! `linnet compile --rust` writes, see `../embed/main.rs`.

#[rustfmt::skip]
mod kinds;
#[rustfmt::skip]
mod plugin;
mod plugins;
#[rustfmt::skip]
mod sample;
#[rustfmt::skip]
mod threads;
#[rustfmt::skip]
mod user;

use linnet_embed::{Error, Extern, FuncType, Global, Imports, Result, Store, ValType, Value};
use std::cell::Cell;
use std::ffi::{c_char, c_int};

#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const c_char) -> c_int {
    match host() {
        Ok(()) => 0,
        Err(error) => {
            println!("{error}");
            1
        }
    }
}

fn failed<T>(result: Result<T>) {
    match result {
        Ok(_) => println!("it did not fail"),
        Err(error) => println!("{error}"),
    }
}

fn host() -> Result<()> {
    let store = Store::new();
    let mut imports = Imports::new();
    let calls = Cell::new(0);
    let log = FuncType::new([ValType::I32, ValType::I64], [ValType::I64]);
    imports.func(&store, "env", "log", log, move |args| {
        let [Value::I32(number), Value::I64(base)] = args else { unreachable!("typed") };
        println!("log {number} {base}");
        calls.set(calls.get() + 1);
        Ok(vec![Value::I64(base + i64::from(*number) + calls.get())])
    });
    let given = |imports: &Imports| imports.with_missing(&store, &sample::module());
    failed(sample::Exports::new(&store, &given(&imports)?));
    imports.func(&store, "env", "fail", FuncType::new([], []), |_| {
        Err(Error::Host("a function of the host failed".to_owned()))
    });
    let sample = sample::Exports::new(&store, &given(&imports)?)?;

    println!("add 1 {}", sample.add(40, 2)?);
    let (wide, narrow, product) = sample.mix(14, 2.5, 1.25)?;
    println!("mix 1 {wide:.2} {narrow:.2} {product}");
    let twice = sample.twice(0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100)?.to_le_bytes();
    println!("twice 1 {} {}", twice[1], twice[15]);
    let Value::ExternRef(Some(reference)) = sample.same(Value::ExternRef(77.try_into().ok()))?
    else {
        unreachable!("typed")
    };
    println!("same 1 {reference}");
    let logged = sample.logged(20)?;
    println!("logged 1 {logged}");

    let memory = sample.memory();
    let mut text = [0; 5];
    memory.read(16, &mut text)?;
    println!("memory {} {}", memory.size(), text.escape_ascii());
    memory.write(20, b"!")?;
    println!("load {:x}", sample.load(17)?);
    let (base, old) = (memory.base(), sample.grow(2)?);
    println!("grow {old} {} {}", memory.size(), i32::from(memory.base() == base));
    println!("grow {}", sample.grow(1)?);
    let names = [
        sample.__()?,
        sample.a_b_()?,
        sample.a_b()?,
        sample.a_b_export()?,
        sample.self_()?,
        sample.r#loop()?,
        sample.new_()?,
        sample.export_count()?,
        sample.___()?,
    ];
    println!("names {}", names.map(|n| n.to_string()).join(" "));

    failed(sample.ratio(1, 0));
    failed(sample.ratio(i32::MIN, -1));
    failed(sample.load(3 * 65536 - 3));
    let exhausted = sample.forever().expect_err("endless").to_string();
    println!("{}", &exhausted[..26]);
    failed(sample.call_fail());
    failed(sample.throw());

    let mut imports = Imports::new();
    imports.instance("sample", &sample.0);
    let user = user::Exports::new(&store, &imports)?;
    memory.read(16, &mut text)?;
    println!("user {}", text.escape_ascii());
    println!("sum 1 {}", user.sum(20, 1)?);
    user.set_calls(99)?;
    failed(user::Exports::new(&store, &imports));
    let mut two = Imports::new();
    for name in ["add", "memory"] {
        two.define("sample", name, sample.0.export(name).expect("exported"));
    }
    failed(user::Exports::new(&store, &two));
    kinds(&store)?;
    plugins::plugins()
}

/// Imports of every kind, globals, tables and a second memory.
fn kinds(store: &Store) -> Result<()> {
    let mut imports = Imports::new();
    let count = Global::new(store, ValType::I64, true, &Value::I64(41))?;
    imports.define("host", "count", Extern::Global(count.clone()));
    imports.func(store, "host", "double", FuncType::new([ValType::I32], [ValType::I32]), |args| {
        let [Value::I32(number)] = args else { unreachable!("typed") };
        Ok(vec![Value::I32(number * 2)])
    });
    let given = |imports: &Imports| imports.with_missing(store, &kinds::module());
    failed(kinds::Exports::new(store, &given(&imports)?));
    let base = Global::new(store, ValType::I32, false, &Value::I32(1))?;
    imports.define("host", "base", Extern::Global(base));
    let kinds = kinds::Exports::new(store, &given(&imports)?)?;
    let mut texts = [[0; 5]; 2];
    kinds.memory().read(1, &mut texts[0])?;
    kinds.second().read(0, &mut texts[1])?;
    let [first, second] = texts.each_ref().map(|text| text.escape_ascii());
    println!("memories {first} {} {second} {}", kinds.memory().size(), kinds.second().size());

    let values = [kinds.base(), kinds.count(), kinds.ratio()].map(|global| global.get());
    let [Value::I32(base), Value::I64(counted), Value::F64(ratio)] = values else {
        unreachable!("typed")
    };
    println!("globals {base} {counted} {ratio:.2}");
    kinds.count().set(&Value::I64(99))?;
    let Value::I64(counted) = count.get() else { unreachable!("typed") };
    println!("set 1 {counted}");
    let Value::V128(lanes) = kinds.lanes().get() else { unreachable!("typed") };
    kinds.lanes().set(&Value::V128(lanes & !(0xff << 16) | 70 << 16))?;
    let Value::V128(lanes) = kinds.lanes().get() else { unreachable!("typed") };
    println!("lanes {} {}", lanes.to_le_bytes()[2], lanes.to_le_bytes()[15]);
    failed(kinds.ratio().set(&Value::F64(1.0)));

    println!("table {} {} {}", kinds.table().size(), kinds.call(0, 20)?, kinds.call(1, 20)?);
    let Some(Value::FuncRef(Some(double))) = kinds.table().get(1) else { unreachable!("typed") };
    let doubled = double.call(&[Value::I32(30)])?;
    let [Value::I32(doubled)] = doubled[..] else { unreachable!("typed") };
    println!("reference 1 {doubled}");
    kinds.table().set(1, &kinds.function().get())?;
    println!("written {}", kinds.call(1, 20)?);
    failed(kinds.table().set(5, &Value::FuncRef(None)));
    println!("a null reference is no function");
    kinds.own().set(2, &Value::ExternRef(7.try_into().ok()))?;
    let Some(Value::ExternRef(Some(own))) = kinds.own().get(2) else { unreachable!("typed") };
    println!("own {} {own}", kinds.own().size());
    println!("caught {}", kinds.caught(5)?);
    assert_eq!(kinds.tag().params(), [ValType::I32]);
    Ok(())
}
