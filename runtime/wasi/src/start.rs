//! From the process's start to the guest's, and how it ends.

use crate::descriptor::{self, Descriptor};
use crate::errno::Errno;
use crate::options::{Options, value_of};
use crate::sys::{self, CWD, Fd, open};
use crate::{memory, process, table, thread};
use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};
use core::fmt;
use linnet_abi::module::Module as RawModule;
use linnet_abi::wasi;
use linnet_embed::{Error, Extern, ExternType, Imports, Instance, Module, Store, ValType, Value};

unsafe extern "C" {
    /// The guest, translated under [`wasi::PREFIX`].
    #[link_name = "linnet_module_program"]
    static PROGRAM: RawModule;
}

/// Something went wrong before the guest ran.
const FAILED: u32 = 1;
/// An option was wrong.
const USAGE: u32 = 2;

/// Writes a message in one call, so that those of two programs do not mix. Where it cannot be written, nobody can
/// be told.
fn say(text: fmt::Arguments<'_>) {
    let _ = sys::write_all(2, format!("{text}\n").as_bytes());
}

/// Ends with a message.
pub fn fail_with(text: fmt::Arguments<'_>) -> ! {
    say(format_args!("error: {text}"));
    sys::exit(FAILED)
}

/// Ends as the guest has: trapped, or refused.
pub fn fail(error: &Error) -> ! {
    say(format_args!("error: {error}"));
    let is_guests = matches!(error, Error::Trap(_) | Error::Exception(_));
    sys::exit(if is_guests { wasi::TRAP_STATUS } else { FAILED })
}

/// Entered from `_start` with the stack pointer that the process began with.
///
/// # Safety
/// `stack` must be that.
pub unsafe extern "C" fn start(stack: *const usize) -> ! {
    /// Of the auxiliary vector: whether the program has more rights than who runs it.
    const SECURE: usize = 23;
    // SAFETY: the host laid out argc, argv, envp and the auxiliary vector there.
    unsafe {
        let count = *stack;
        let mut next = stack.add(1);
        let arguments = strings(&mut next);
        debug_assert_eq!(arguments.len(), count);
        let environment = strings(&mut next);
        let mut is_secure = false;
        while *next != 0 {
            is_secure |= *next == SECURE && *next.add(1) != 0;
            next = next.add(2);
        }
        *process::ARGUMENTS.lock() = arguments;
        // Nobody tells such a program what to open.
        *process::ENVIRONMENT.lock() = if is_secure { Vec::new() } else { environment };
        thread::run_first()
    }
}

/// Strings up to a null pointer, behind which the next ones begin.
///
/// # Safety
/// They must be there.
unsafe fn strings(next: &mut *const usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    // SAFETY: the caller's promise.
    unsafe {
        while **next != 0 {
            all.push(CStr::from_ptr(**next as *const c_char).to_bytes().to_vec());
            *next = next.add(1);
        }
        *next = next.add(1);
    }
    all
}

/// The first thread: opens what the guest gets, and runs it.
pub fn run() -> ! {
    let host = core::mem::take(&mut *process::ENVIRONMENT.lock());
    let options = match Options::read(&host) {
        Ok(options) => options,
        Err(wrong) => {
            let option = String::from_utf8_lossy(&wrong.option);
            say(format_args!("error: {}: {option}: {}", wasi::VARIABLE, wrong.reason));
            sys::exit(USAGE)
        }
    };
    for stream in 0..3 {
        // A stream may be closed.
        descriptor::push(Descriptor::stream(stream).ok());
    }
    if options.sockets {
        open_sockets(&host);
    }
    for (place, name) in &options.directories {
        open_directory(place, name);
    }
    *process::ENVIRONMENT.lock() = environment(&options, host);
    if let Some(time) = options.timeout {
        const SIGALRM: usize = 14;
        sys::at_signal(SIGALRM, on_timeout);
        sys::alarm(time);
    }
    match call(&options) {
        Ok(()) => sys::exit(0),
        Err(error) => fail(&error),
    }
}

extern "C" fn on_timeout(_: i32) -> ! {
    const TEXT: &[u8] = b"error: the time that --timeout gives is over\n";
    let _ = sys::write_all(2, TEXT);
    sys::exit(wasi::TIMEOUT_STATUS)
}

/// What the guest sees of the host's environment, and what it was given.
fn environment(options: &Options, host: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let name = |setting: &[u8]| -> Vec<u8> {
        setting.iter().copied().take_while(|byte| *byte != b'=').collect()
    };
    let mut all = Vec::new();
    if options.inherits_environment {
        let given: Vec<_> = options.environment.iter().map(|setting| name(setting)).collect();
        all.extend(host.into_iter().filter(|setting| {
            let name = name(setting);
            name != wasi::VARIABLE.as_bytes() && !given.contains(&name)
        }));
    }
    all.extend(options.environment.iter().cloned());
    all
}

/// Sockets that who started this has opened, as systemd passes them.
fn open_sockets(environment: &[Vec<u8>]) {
    const FIRST: u32 = 3;
    let count = value_of(environment, b"LISTEN_FDS")
        .and_then(|count| core::str::from_utf8(count).ok()?.parse::<u32>().ok());
    let Some(count) = count else {
        fail_with(format_args!("--listenfd: LISTEN_FDS does not say how many sockets there are"))
    };
    for number in FIRST..FIRST.saturating_add(count) {
        match Fd::new(number as usize).and_then(Descriptor::new) {
            Ok(socket) => descriptor::push(Some(socket)),
            Err(_) => fail_with(format_args!("--listenfd: descriptor {number} is not open")),
        }
    }
}

fn open_directory(place: &[u8], name: &[u8]) {
    let path = CString::new(place).unwrap_or_default();
    let opened = sys::openat(CWD, &path, open::DIRECTORY, 0)
        .and_then(|fd| Descriptor::preopened(fd, name.to_vec()));
    match opened {
        Ok(directory) => descriptor::push(Some(directory)),
        Err(error) => {
            let reason = match error {
                Errno::ACCES => "Permission denied",
                Errno::NOENT => "No such file or directory",
                Errno::NOTDIR => "Not a directory",
                _ => "it cannot be opened",
            };
            fail_with(format_args!("--dir: {}: {reason}", String::from_utf8_lossy(place)))
        }
    }
}

/// Makes an instance of the guest and calls it.
fn call(options: &Options) -> Result<(), Error> {
    // SAFETY: the translator emitted it.
    let module = unsafe { Module::from_raw(&PROGRAM) };
    let Some(module) = module else { fail_with(format_args!("the module is of another version")) };
    let store = Store::new();
    if let Some(bytes) = options.memory {
        store.limit_memory(bytes);
    }
    let imports = table::imports(&store, &module).with_missing(&store, &module)?;
    share_memory(&module, &imports);
    let instance = Instance::prepare(&store, &module, &imports)?;
    if let Some(memory) = instance.memory("memory").or_else(|| instance.first_memory()) {
        memory::set(memory.as_raw());
    }
    // SAFETY: it is new.
    unsafe { instance.initialize()? };
    match &options.invoke {
        None if instance.func(wasi::START).is_some() => instance.call(wasi::START, &[]).map(drop),
        None => fail_with(format_args!(
            "the module has no _start: it is a library\nhint: call one of its functions with \
             {}=--invoke=NAME",
            wasi::VARIABLE
        )),
        Some(name) => {
            if instance.func(wasi::INITIALIZE).is_some() {
                instance.call(wasi::INITIALIZE, &[])?;
            }
            invoke(&instance, &String::from_utf8_lossy(name))
        }
    }
}

/// Keeps a shared memory that the module imports for its threads.
fn share_memory(module: &Module, imports: &Imports) {
    for import in module.imports() {
        if matches!(import.ty, ExternType::Memory(_))
            && let Some(Extern::Memory(memory)) = imports.get(import.module, import.name)
            && let Some(shared) = memory.share()
        {
            thread::set_program(*module, shared, (import.module, import.name));
        }
    }
}

/// Calls a function with the arguments of the command line, and prints its results.
fn invoke(instance: &Instance, name: &str) -> Result<(), Error> {
    let Some(function) = instance.func(name) else {
        fail_with(format_args!("--invoke: the module exports no function {name:?}"))
    };
    let ty = function.ty();
    let arguments = core::mem::take(&mut *process::ARGUMENTS.lock());
    let given = arguments.get(1..).unwrap_or_default();
    if given.len() != ty.params.len() {
        fail_with(format_args!(
            "--invoke: {name} takes {} arguments, not {}",
            ty.params.len(),
            given.len()
        ));
    }
    let value = |(text, ty): (&Vec<u8>, &ValType)| {
        let text = String::from_utf8_lossy(text);
        value(&text, *ty).unwrap_or_else(|| {
            fail_with(format_args!("--invoke: {text:?} is no value of type {ty}"))
        })
    };
    let values: Vec<Value> = given.iter().zip(&ty.params).map(value).collect();
    let results = function.call(&values)?;
    let text: String = results.iter().map(shown).collect();
    if let Err(error) = sys::write_all(1, text.as_bytes()) {
        let reason =
            if error == Errno::NOSPC { "No space left on device" } else { "it cannot be written" };
        fail_with(format_args!("standard output: {reason}"));
    }
    Ok(())
}

fn value(text: &str, ty: ValType) -> Option<Value> {
    // A negative number, or one without a sign that uses all bits.
    let whole = |bits: u32| {
        let number = match text.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16).ok()?,
            None => text.parse::<i128>().ok()?,
        };
        (-(1_i128 << (bits - 1)) <= number && number < 1 << bits).then_some(number)
    };
    // The types are no patterns.
    if ty == ValType::I32 {
        return Some(Value::I32(whole(32)? as i32));
    }
    if ty == ValType::I64 {
        return Some(Value::I64(whole(64)? as i64));
    }
    if ty == ValType::F32 {
        return text.parse().ok().map(Value::F32);
    }
    if ty == ValType::F64 {
        return text.parse().ok().map(Value::F64);
    }
    None
}

/// A line with a result.
fn shown(value: &Value) -> String {
    match value {
        Value::I32(value) => format!("{value}\n"),
        Value::I64(value) => format!("{value}\n"),
        Value::F32(value) => format!("{value}\n"),
        Value::F64(value) => format!("{value}\n"),
        Value::V128(value) => format!("{value:#034x}\n"),
        Value::FuncRef(None) | Value::ExternRef(None) | Value::ExnRef(None) => "null\n".into(),
        _ => "a reference\n".into(),
    }
}
