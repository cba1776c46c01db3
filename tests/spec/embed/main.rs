//! What a host sees of a translated module: `linnet.h`, and what `linnet compile --header` and `--rust`
//! write. A host in C and one in Rust use the same modules and print the same, on every target.
//!
//! `BLESS=1` writes the files that are compared.

use linnet_codegen::{Options, Target, c_header, rust_module, translate};
use linnet_spec::Error;
use linnet_spec::link::Toolchain;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MODULES: [&str; 5] = ["sample", "user", "kinds", "plugin", "threads"];
/// Of the host in C.
const SOURCES: [&str; 2] = ["host", "plugin"];

fn options(target: Target, name: &str) -> Options {
    let options = Options::host(target, name);
    if name == "plugin" { options.interruptible() } else { options }
}

/// Clang's names of the targets, and what it takes to be the ABI of all else.
fn clang(target: Target) -> &'static [&'static str] {
    match target {
        Target::X86_64 => &["--target=x86_64-linux-gnu"],
        Target::Aarch64 => &["--target=aarch64-linux-gnu"],
        Target::Riscv64 => &["--target=riscv64-linux-gnu", "-march=rv64gc", "-mabi=lp64d"],
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("embed")
}

fn wasm(name: &str) -> Vec<u8> {
    wat::parse_file(here().join(format!("{name}.wat"))).expect("a module")
}

/// An empty directory for a test.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed").join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("a directory");
    place
}

fn compare(found: &str, path: &Path) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found).expect("to be written");
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, wanted, "{}", path.display());
}

fn run(command: &mut Command) -> Result<String, Error> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{text}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn objects(target: Target, place: &Path) -> Result<Vec<PathBuf>, Error> {
    let translated = |name: &&str| {
        let object = place.join(format!("{name}.o"));
        fs::write(&object, translate(&wasm(name), &options(target, name))?.bytes)?;
        Ok(object)
    };
    MODULES.iter().map(translated).collect()
}

/// Clang for a target, with the headers of the modules.
fn c_compiler(target: Target, program: &str, place: &Path) -> Result<Command, Error> {
    for name in MODULES {
        fs::write(place.join(format!("{name}.h")), c_header(&wasm(name), name, &[])?)?;
    }
    let mut command = Command::new(program);
    command.args(clang(target)).args(["-ffreestanding", "-O2", "-Wall", "-Wextra", "-Werror"]);
    // The library's header is in those of the modules.
    command.arg("-I").arg(place).arg("-I").arg(here()).arg("-I").arg(here().join("include"));
    Ok(command)
}

/// Runs a host and compares what it prints.
fn check(toolchain: &Toolchain, objects: &[PathBuf], program: &Path) -> Result<(), Error> {
    toolchain.link(objects, program)?;
    compare(&run(&mut toolchain.command(program))?, &here().join("expected.txt"));
    Ok(())
}

fn builds() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec/driver")
}

fn c_host(target: Target) -> Result<(), Error> {
    let place = place(&format!("c-{}", target.name()));
    let mut objects = objects(target, &place)?;
    for name in SOURCES {
        let (source, object) =
            (here().join(format!("{name}.c")), place.join(format!("c-{name}.o")));
        let mut compile = c_compiler(target, "clang-19", &place)?;
        run(compile.arg("-c").arg(source).arg("-o").arg(&object))?;
        objects.push(object);
    }
    let toolchain = Toolchain::new(target, "linnet-embed", &builds())?;
    check(&toolchain, &objects, &place.join("host"))
}

fn rust_host(target: Target) -> Result<(), Error> {
    let place = place(&format!("rust-{}", target.name()));
    let objects = objects(target, &place)?;
    let toolchain = Toolchain::new(target, "linnet-spec-host", &builds())?;
    check(&toolchain, &objects, &place.join("host"))
}

#[test]
fn c_host_on_x86_64() -> Result<(), Error> {
    c_host(Target::X86_64)
}

#[test]
fn c_host_on_aarch64() -> Result<(), Error> {
    c_host(Target::Aarch64)
}

#[test]
fn c_host_on_riscv64() -> Result<(), Error> {
    c_host(Target::Riscv64)
}

#[test]
fn rust_host_on_x86_64() -> Result<(), Error> {
    rust_host(Target::X86_64)
}

#[test]
fn rust_host_on_aarch64() -> Result<(), Error> {
    rust_host(Target::Aarch64)
}

#[test]
fn rust_host_on_riscv64() -> Result<(), Error> {
    rust_host(Target::Riscv64)
}

/// A debugger shows lines of the module and of its host in one backtrace, and stops in both.
fn lines(target: Target) -> Result<(), Error> {
    let place = place(&format!("lines-{}", target.name()));
    let source = |name: &str| here().join(name);
    let module = place.join("lines.wasm");
    let mut compile = Command::new("clang-19");
    compile.args(["--target=wasm32", "-g", "-O1", "-nostdlib", "-Wl,--no-entry", "-o"]);
    run(compile.arg(&module).arg(source("lines.c")))?;
    let wasm = fs::read(&module)?;
    fs::write(place.join("lines.h"), c_header(&wasm, "lines", &[])?)?;
    let objects = [place.join("lines.o"), place.join("host.o")];
    fs::write(&objects[0], translate(&wasm, &Options::host(target, "lines"))?.bytes)?;
    let mut compile = c_compiler(target, "clang-19", &place)?;
    let host = source("lines-host.c");
    run(compile.args(["-g", "-O0", "-c"]).arg(host).arg("-o").arg(&objects[1]))?;
    let program = place.join("host");
    Toolchain::new(target, "linnet-embed", &builds())?.link(&objects, &program)?;

    let line = |file: &str, comment: &str| -> Result<String, Error> {
        let text = fs::read_to_string(source(file))?;
        let comment = format!("/* {comment} */");
        let found = text.lines().position(|line| line.ends_with(&comment));
        Ok(format!("{file}:{}", 1 + found.ok_or(comment)?))
    };
    let stop = line("lines.c", "stop")?;
    let in_host = line("lines-host.c", "in the host")?;
    let builder = linnet_build::Builder::new()?;
    // A program that never meets a break would not end.
    let mut debugger = Command::new("timeout");
    debugger.args(["--kill-after=5", "120"]).arg(builder.debugger()?);
    debugger.args(["-nx", "-quiet", "-batch"]);
    let mut commands = vec!["set debuginfod enabled off".to_owned(), "set confirm off".to_owned()];
    commands.push(format!("break {stop}"));
    let mut emulator = None;
    if target == linnet_build::host()? {
        commands.push("run".to_owned());
    } else {
        let socket = place.join("socket");
        let mut command = Command::new(builder.emulator(target)?);
        emulator = Some(command.arg("-g").arg(&socket).arg(&program).spawn()?);
        for _ in 0..1000 {
            if socket.exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        commands.push(format!("target remote {}", socket.display()));
        commands.push("continue".to_owned());
    }
    commands.extend(["backtrace".to_owned(), format!("break {in_host}")]);
    commands.extend(["continue", "backtrace", "kill"].map(str::to_owned));
    for command in &commands {
        debugger.args(["-ex", command]);
    }
    let shown = debugger.arg(&program).stdin(Stdio::null()).output()?.stdout;
    if let Some(mut emulator) = emulator {
        let _ = emulator.kill();
        emulator.wait()?;
    }

    let shown = String::from_utf8_lossy(&shown);
    let mut rest = &*shown;
    let (call, outer) = (line("lines.c", "call of the host")?, line("lines.c", "call of inner")?);
    let of_module = line("lines-host.c", "call of the module")?;
    let expected = [
        &*stop,
        "outer ()",
        &outer,
        "main ()",
        &of_module,
        "of_host (",
        &in_host,
        "inner ()",
        &call,
    ];
    for text in expected.into_iter().chain(["outer ()", &outer, "main ()", &of_module]) {
        let found = rest.split_once(text);
        rest = found.ok_or_else(|| format!("not found, or too early: {text}\n{shown}"))?.1;
    }
    Ok(())
}

#[test]
fn debuggers_show_both_on_x86_64() -> Result<(), Error> {
    lines(Target::X86_64)
}

#[test]
fn debuggers_show_both_on_aarch64() -> Result<(), Error> {
    lines(Target::Aarch64)
}

#[test]
fn debuggers_show_both_on_riscv64() -> Result<(), Error> {
    lines(Target::Riscv64)
}

#[test]
fn rust_modules_are_those_that_the_host_is_built_with() -> Result<(), Error> {
    for name in MODULES {
        let path = here().join(format!("../host/src/{name}.rs"));
        compare(&rust_module(&wasm(name), name, &[])?, &path);
    }
    Ok(())
}

#[test]
fn headers_are_cpp_too() -> Result<(), Error> {
    let place = place("cpp");
    let mut compile = c_compiler(Target::X86_64, "clang++-19", &place)?;
    let source = place.join("headers.cpp");
    let include = |name: &&str| format!("#include \"{name}.h\"\n");
    fs::write(&source, MODULES.iter().map(include).collect::<String>())?;
    run(compile.args(["-std=c++11", "-fsyntax-only"]).arg(source)).map(drop)
}

/// A module with the names of the library: its header has others.
#[test]
fn a_prefix_takes_no_name_of_the_library() -> Result<(), Error> {
    let place = place("names");
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/embed/include");
    let text = fs::read_to_string(library.join("linnet.h"))?;
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: BTreeSet<_> = words.filter_map(|word| word.strip_prefix("linnet_")).collect();
    assert!(names.contains("value") && names.contains("table_size"), "{names:?}");
    let mut module = "(module ".to_owned();
    for name in names.iter().filter(|name| !name.is_empty()) {
        module += &format!("(func (export {name:?}))");
    }
    // Its functions to read and write elements have such names too.
    module += "(table (export \"table\") 1 funcref))";
    let mut compile = c_compiler(Target::X86_64, "clang-19", &place)?;
    fs::write(place.join("linnet-names.h"), c_header(&wat::parse_str(&module)?, "linnet", &[])?)?;
    let source = place.join("names.c");
    fs::write(&source, "#include \"linnet-names.h\"\n")?;
    run(compile.arg("-fsyntax-only").arg(source)).map(drop)
}

/// Two modules in one file: with prefixes of which only the case differs, and with names that come to the same if
/// one forgets where the prefix ends.
#[test]
fn headers_of_two_modules_fit_one_file() -> Result<(), Error> {
    let place = place("two");
    let image = wat::parse_str("(module (func (export \"png_size\") (result i32) i32.const 1))")?;
    let other = wat::parse_str("(module (func (export \"size\") (result i32) i32.const 2))")?;
    let modules = [("img", &image), ("IMG", &image), ("img_png", &other), ("imgp", &other)];
    let mut source = String::new();
    for (prefix, wasm) in modules {
        fs::write(place.join(format!("m-{prefix}.h")), c_header(wasm, prefix, &[])?)?;
        source += &format!("#include \"m-{prefix}.h\"\n");
    }
    // Each by its own name, and by the short one where that is not taken.
    for name in ["img_png_size", "IMG_png_size", "linnet7_img_png_size", "imgp_size"] {
        source += &format!("bool test_{name}(linnet_instance *i, uint32_t *r);\n");
        source += &format!(
            "bool test_{name}(linnet_instance *i, uint32_t *r) {{ return {name}(i, r); }}\n"
        );
    }
    let mut compile = c_compiler(Target::X86_64, "clang-19", &place)?;
    fs::write(place.join("two.c"), source)?;
    run(compile
        .args(["-Wno-unused-function", "-c", "-o"])
        .arg(place.join("two.o"))
        .arg(place.join("two.c")))
    .map(drop)
}

#[test]
fn headers_name_the_exports_that_are_wanted() -> Result<(), Error> {
    let header = c_header(&wasm("sample"), "sample", &["add".to_owned(), "".to_owned()])?;
    let defined =
        |name: &str| header.contains(&format!("static inline bool linnet6_sample_{name}("));
    assert!(defined("add") && defined("") && !defined("mix"), "{header}");
    let error = c_header(&wasm("sample"), "sample", &["sub".to_owned()]).expect_err("none");
    assert_eq!(error.to_string(), "the module exports no \"sub\"");
    Ok(())
}

/// Time of an instance grows as the number of its imports does, and that of a trap not at all with the number of
/// instances that live or have lived.
#[test]
fn instances_and_traps_do_not_depend_on_history() -> Result<(), Error> {
    const COUNT: usize = 4000;
    let (target, place) = (linnet_build::host()?, place("scale"));
    let module = |count: usize| {
        let import = |i| format!("(import \"env\" \"f{i}\" (func (param i32)))");
        let imports: String = (0..count).map(import).collect();
        let outside = "(func (export \"outside\") (drop (i32.load (i32.const -1))))";
        wat::parse_str(format!("(module {imports} (memory 1) {outside})"))
    };
    let mut objects = vec![place.join("host.o")];
    for (name, count) in [("few", COUNT / 10), ("many", COUNT)] {
        let (wasm, object) = (module(count)?, place.join(format!("{name}.o")));
        fs::write(place.join(format!("{name}.h")), c_header(&wasm, name, &[])?)?;
        fs::write(&object, translate(&wasm, &Options::host(target, name))?.bytes)?;
        objects.push(object);
    }
    let mut compile = Command::new("clang-19");
    compile.args(["-O2", "-Wall", "-Werror", "-Wno-unused-function", "-c"]);
    compile.arg(format!("-DCOUNT={COUNT}")).arg("-I").arg(&place);
    run(compile.arg(here().join("scale.c")).arg("-o").arg(&objects[0]))?;
    let program = place.join("scale");
    Toolchain::new(target, "linnet-embed", &builds())?.link(&objects, &program)?;
    assert_eq!(run(&mut Command::new(program))?, "");
    Ok(())
}

/// Debian's compilers make programs that are loaded anywhere.
#[test]
fn objects_fit_position_independent_programs() -> Result<(), Error> {
    let place = place("pie");
    let objects = objects(Target::X86_64, &place)?;
    for object in objects {
        let file = fs::read(&object)?;
        let file = object::File::parse(&*file)?;
        use object::{Object as _, ObjectSection as _};
        for section in file.sections() {
            let is_constant = matches!(
                section.kind(),
                object::SectionKind::Text | object::SectionKind::ReadOnlyData
            );
            let absolute = section
                .relocations()
                .filter(|(_, r)| r.kind() == object::RelocationKind::Absolute)
                .count();
            assert!(!is_constant || absolute == 0, "{}: {:?}", object.display(), section.name());
        }
    }
    Ok(())
}
