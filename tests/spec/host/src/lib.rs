//! A host in Rust; prints what `../embed/host.c` prints. The modules beside this file are what
//! `linnet compile --rust` writes, see `../embed/main.rs`.

#[rustfmt::skip]
mod sample;
#[rustfmt::skip]
mod user;

use linnet_embed::{Error, FuncType, Imports, Result, Store, ValType, Value};
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
    imports.missing_memories(&store, &sample::module())?;
    failed(sample::Exports::new(&store, &imports));
    imports.func(&store, "env", "fail", FuncType::new([], []), |_| {
        Err(Error::Host("a function of the host failed".to_owned()))
    });
    let sample = sample::Exports::new(&store, &imports)?;

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
        sample.a_b()?,
        sample.a_b_()?,
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
    Ok(())
}
