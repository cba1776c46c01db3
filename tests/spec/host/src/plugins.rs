//! A host of a module that it does not trust; prints what `../embed/plugin.c` prints.

use crate::failed;
use crate::{plugin, threads};
use linnet_embed::{
    Error, Exception, Extern, ExternType, Func, FuncType, Growth, Imports, Memory, MemoryType,
    Result, Store, Tag, ValType, Value,
};
use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

const I32: ValType = ValType::I32;

fn number(ty: ValType) -> u32 {
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64].iter().position(|t| *t == ty).unwrap()
        as u32
}

fn describe() {
    let list =
        |types: &[ValType]| types.iter().map(|ty| format!(" {}", number(*ty))).collect::<String>();
    for import in plugin::module().imports() {
        let what = match import.ty {
            ExternType::Func(ty) => format!("function{}{}", list(&ty.params), list(&ty.results)),
            ExternType::Table(ty) => format!("table {} {}", ty.min, ty.max.unwrap()),
            ExternType::Memory(ty) => format!("memory {} {}", ty.min, ty.max.unwrap()),
            ExternType::Global(_) => "global".to_owned(),
            ExternType::Tag(ty) => format!("tag{}", list(&ty.params)),
        };
        println!("{} {}: {what}", import.module, import.name);
    }
    let exports = plugin::module().exports();
    let twice = exports.iter().find(|export| export.name == "twice").expect("exported");
    println!("exports {}", twice.name);
}

fn imports(store: &Store, tag: &Tag) -> Imports {
    let mut imports = Imports::new();
    let print = Func::with_caller(store, FuncType::new([I32, I32], []), |caller, args| {
        let [Value::I32(at), Value::I32(len)] = args else { unreachable!("typed") };
        let memory = caller.instance().and_then(|instance| instance.first_memory());
        let mut text = vec![0; *len as usize];
        memory.expect("it has one").read(*at as u64, &mut text)?;
        println!("says {}", text.escape_ascii());
        Ok(Vec::new())
    });
    imports.define("env", "print", Extern::Func(print));
    // A function that the store keeps must not keep the store.
    let make = {
        let params = tag.params().to_vec();
        move |caller: &linnet_embed::Caller<'_>, args: &[Value]| {
            let [Value::I32(question)] = args else { unreachable!("typed") };
            let instance = caller.instance().expect("a module calls");
            match question {
                0 => Ok(vec![Value::I32(99)]),
                1 => Err(Error::Host("nobody knows".to_owned())),
                2 => Err(Error::Host("a function of the host failed".to_owned())),
                3 => {
                    let Some(Extern::Tag(tag)) = instance.imported(4) else {
                        unreachable!("a tag")
                    };
                    assert_eq!(tag.params(), params);
                    let thrown = Exception::new(&tag, &[Value::I32(42), Value::F64(1.5)])?;
                    Err(Error::Exception(thrown))
                }
                _ => instance.call("boom", &[]),
            }
        }
    };
    let ask = Func::with_caller(store, FuncType::new([I32], [I32]), make);
    imports.define("env", "ask", Extern::Func(ask));
    imports.define("env", "oops", Extern::Tag(tag.clone()));
    imports
}

/// Calls something that another thread interrupts.
fn interrupted<T>(store: &Store, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let interrupter = store.interrupter();
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        interrupter.interrupt();
    });
    let result = call();
    other.join().expect("no panic");
    result
}

fn is_trap<T>(result: Result<T>, code: u8) -> u8 {
    matches!(result, Err(Error::Trap(trap)) if trap.code() == code).into()
}

/// Threads share a memory, and wake each other.
fn several(store: &Store) -> Result<()> {
    let ty = MemoryType { is_shared: true, ..MemoryType::new(1, Some(2)) };
    let memory = Memory::new(store, &ty)?;
    let shared = memory.share().expect("shared");
    let mut imports = Imports::new();
    imports.define("env", "memory", Extern::Memory(memory.clone()));
    let own = threads::Exports::new(store, &imports)?;
    let wait = || {
        let shared = shared.clone();
        thread::spawn(move || -> i32 {
            let store = Store::new();
            let mut imports = Imports::new();
            imports.define("env", "memory", Extern::Memory(shared.open(&store)));
            let threads = threads::Exports::new(&store, &imports).expect("it fits");
            threads.add(1000).expect("no trap");
            threads.wait(0).expect("no trap")
        })
    };
    let all = [(); 4].map(|()| wait());
    let mut word = [0; 4];
    while u32::from_le_bytes(word) != 4000 {
        thread::sleep(Duration::from_millis(1));
        memory.read(8, &mut word)?;
    }
    own.wake(0)?;
    let sum = all.into_iter().map(|thread| thread.join().expect("no panic")).filter(|r| *r <= 1);
    println!("threads {}", sum.count());
    failed(interrupted(store, || own.wait(4)));
    Ok(())
}

pub fn plugins() -> Result<()> {
    describe();
    let store = Store::new();
    let tag = Tag::new(&store, [I32, ValType::F64]);
    let given = imports(&store, &tag);
    let new = || plugin::Exports::new(&store, &given.with_missing(&store, &plugin::module())?);
    let first = new()?;
    first.hello()?;
    let second = new()?;
    second.0.first_memory().expect("it has one").write(16, b"y")?;
    first.hello()?;
    second.hello()?;
    let Some(Extern::Memory(memory)) = first.0.imported(0) else { unreachable!("a memory") };
    let same = memory.base() == first.0.first_memory().expect("it has one").base();
    println!("memory {} {}", u8::from(same), memory.size());

    println!("answer {}", first.ask(0)?);
    for question in 1..5 {
        failed(first.ask(question));
    }
    println!("same 1");
    println!("caught {}", first.caught(3)?);
    let thrown = first.throw();
    let Err(Error::Exception(exception)) = &thrown else { unreachable!("it throws") };
    let payload = exception.payload();
    let [Value::I32(one), Value::F64(two)] = payload[..] else { unreachable!("typed") };
    let is_it = u8::from(exception.tag() == tag);
    failed(thrown);
    println!("payload {is_it} {one} {two:.1}");

    let with = |name: &str, value: Extern| {
        let mut wrong = given.clone();
        wrong.define("env", name, value);
        plugin::Exports::new(&store, &wrong.with_missing(&store, &plugin::module())?)
    };
    failed(with("print", first.0.export("ask").expect("exported")));
    println!(
        "import \"env\" \"print\": of the instance that is given there is no export 77, but 13"
    );
    failed(with("print", Extern::Tag(tag.clone())));
    failed(with("memory", Extern::Memory(Memory::new(&store, &MemoryType::new(1, None))?)));

    let double = Func::new(&store, FuncType::new([I32], [I32]), |args| {
        let [Value::I32(number)] = args else { unreachable!("typed") };
        Ok(vec![Value::I32(number * 2)])
    });
    let Some(Extern::Table(table)) = first.0.imported(1) else { unreachable!("a table") };
    table.set(0, &Value::FuncRef(Some(double)))?;
    println!("called {}", first.call(0, 21)?);

    let snapshot = first.0.snapshot()?;
    for _ in 0..2 {
        first.count()?;
        first.grow(1)?;
        first.grow_table(2)?;
        println!("count {} restored {}", first.count()?, u8::from(snapshot.restore().is_ok()));
    }
    first.hello()?;
    println!("memory {}", memory.size());

    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    store.limit(move |growth| {
        count.set(count.get() + 1);
        match growth {
            Growth::Memory { to, .. } => *to < 200_000,
            Growth::Table { to, .. } => *to < 5,
        }
    });
    let grown = [first.grow(2)?, first.grow(1)?, first.grow_table(3)?];
    println!("grow {} {} {} asked {}", grown[0], grown[1], grown[2], asked.get());

    const INTERRUPTED: u8 = 67;
    const BUDGET: u8 = 68;
    store.set_budget(Some(1000));
    first.turn(400)?;
    let left = store.budget().unwrap_or_default();
    first.turn(400)?;
    println!("budget {left} {}", store.budget().unwrap_or_default());
    failed(first.turn(400));
    let spun = first.spin();
    failed(spun.clone());
    println!("trap {}", is_trap(spun, BUDGET));
    store.set_budget(None);
    println!("interrupted {}", is_trap(interrupted(&store, || first.spin()), INTERRUPTED));
    println!("interrupted {}", is_trap(interrupted(&store, || first.twice(60)), INTERRUPTED));
    println!("interrupted {}", is_trap(interrupted(&store, || first.thrice(60)), INTERRUPTED));
    first.turn(400)?;
    several(&store)
}
