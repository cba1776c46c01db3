//! `linnet compile -o lib.a` and `lib.so`: hosts in C that need nothing else.

use std::fs;
use std::path::PathBuf;

use linnet_build::{At as _, Error, Result, Target};
use object::{Object as _, ObjectSymbol as _};

use crate::build::{Place, expect};
use crate::sdk::shell;
use crate::{Test, cli};

pub(crate) fn tests() -> Vec<Test> {
    let test = |name: &str, run: fn(&Place) -> Result<()>| -> Test {
        let directory = format!("library-{name}");
        let run = move || Ok(place(&directory).and_then(|place| run(&place))?);
        (format!("library::{name}"), Box::new(run))
    };
    vec![
        test("static-library-needs-a-compiler-alone", of_pkg_config),
        test("shared-library-needs-a-compiler-alone", shared),
        test("cmake-finds-a-library-of-either-kind", of_cmake),
        test("two-libraries-fit-one-program", two),
        test("objects-loaded-at-run-time-share-functions-and-tables", loaded),
        test("libraries-are-whole-for-every-isa", every_isa),
        test("library-is-the-same-file-twice", same_twice),
    ]
}

/// Adds one; calls the function whose number in the table it gets.
const MAIN: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (table (export "table") 4 funcref)
    (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "call") (param i32 i32) (result i32)
        (call_indirect (type $unary) (local.get 1) (local.get 0)))
    (memory (export "memory") 1)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// Puts a function of its own into the other's table, which calls the other's.
const SIDE: &str = r#"(module
    (import "main" "table" (table 4 funcref))
    (import "main" "add" (func $add (param i32) (result i32)))
    (elem (i32.const 2) func $twice)
    (func $twice (export "twice") (param i32) (result i32)
        (i32.mul (call $add (local.get 0)) (i32.const 2))))"#;

/// Prints what a call and a trap give.
const HOST: &str = r#"
#include "main.h"
#include <stdio.h>
int main(void)
{
	uint32_t sum = 0;
	linnet_store *store = linnet_store_new();
	linnet_instance *instance = linnet_instantiate(store, &linnet_module_main, NULL, 0);
	bool done = main_add(instance, 41, &sum);
	printf("%d %u\n", done, sum);
	done = main_load(instance, 70000, &sum);
	printf("%d %.33s\n", done, linnet_message(store));
	linnet_store_delete(store);
}
"#;
const PRINTED: &str = "1 42\n0 trap: out of bounds memory access\n";

fn place(name: &str) -> Result<Place> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It may be that of an earlier run.
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).at(directory.display())?;
    let place = Place { directory, linnet: cli::linnet()? };
    for (name, text) in [("main", MAIN), ("side", SIDE)] {
        place.write(&format!("{name}.wasm"), wat::parse_str(text).at(name)?)?;
    }
    place.write("host.c", HOST)?;
    Ok(place)
}

fn of_pkg_config(place: &Place) -> Result<()> {
    let script = "linnet compile main.wasm -o libmain.a --header main.h --pkg-config main.pc
        export PKG_CONFIG_PATH=.
        cc -Wall -Wextra -Werror -Wno-unused-function $(pkg-config --cflags main) -o host host.c $(pkg-config --libs main)
        ./host";
    expect(&shell(place, script)?, PRINTED)
}

fn shared(place: &Place) -> Result<()> {
    let script = "linnet compile main.wasm -o libmain.so --header main.h --pkg-config main.pc
        export PKG_CONFIG_PATH=. LD_LIBRARY_PATH=.
        cc $(pkg-config --cflags main) -o host host.c $(pkg-config --libs main)
        ./host
        LD_BIND_NOW=1 ./host";
    expect(&shell(place, script)?, &PRINTED.repeat(2))
}

fn of_cmake(place: &Place) -> Result<()> {
    place.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.18)\nproject(host C)\ninclude(lib/main.cmake)\n\
         add_executable(host host.c)\ntarget_link_libraries(host linnet::main)\n",
    )?;
    let script = "for kind in a so; do
            rm -rf lib build
            mkdir lib
            linnet compile main.wasm -o lib/libmain.$kind --header lib/main.h --cmake lib/main.cmake
            cmake -S . -B build 1>&2
            cmake --build build 1>&2
            build/host
        done";
    expect(&shell(place, script)?, &PRINTED.repeat(2))
}

/// Each has a support library of its own, of which one serves both.
fn two(place: &Place) -> Result<()> {
    place.write("both.c", BOTH.replace("SIDE_MODULE", "&linnet_module_side"))?;
    let script = "for kind in a so; do
            for module in main side; do
                linnet compile $module.wasm -o lib$module.$kind --header $module.h
            done
            cc -o host both.c libmain.$kind libside.$kind -lm
            LD_LIBRARY_PATH=. ./host
        done";
    expect(&shell(place, script)?, "called 42\ncalled 42\n")
}

/// The main module calls the side module's function through its table, and that calls the main one's.
const BOTH: &str = r#"
#include "main.h"
#include "side.h"
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
	uint32_t result = 0;
	linnet_store *store = linnet_store_new();
	linnet_instance *main_ = linnet_instantiate(store, &linnet_module_main, NULL, 0);
	linnet_import imports[] = {
		{"main", "table", NULL, NULL, main_, main_table_export},
		{"main", "add", NULL, NULL, main_, main_add_export},
	};
	linnet_instance *side = linnet_instantiate(store, SIDE_MODULE, imports, 2);
	if (!side || !main_call(main_, 2, 20, &result))
		puts(linnet_message(store));
	printf("called %u\n", result);
	linnet_store_delete(store);
}
"#;

fn loaded(place: &Place) -> Result<()> {
    let load = r#"dlsym(dlopen("./side.so", RTLD_NOW), "linnet_module_side")"#;
    place.write("both.c", BOTH.replace("SIDE_MODULE", load))?;
    let script = "linnet compile side.wasm -o side.o --header side.h
        cc -shared -o side.so side.o
        for kind in a so; do
            linnet compile main.wasm -o libmain.$kind --header main.h
            cc -rdynamic -o host both.c libmain.$kind -lm -ldl
            LD_LIBRARY_PATH=. ./host
        done";
    expect(&shell(place, script)?, "called 42\ncalled 42\n")
}

/// What a library lacks, and what it shows.
fn every_isa(place: &Place) -> Result<()> {
    for target in Target::ALL {
        let name = target.name();
        for kind in ["a", "so"] {
            let output = format!("lib{name}.{kind}");
            place.run("linnet", &["compile", "main.wasm", "-o", &output, "--target", name])?;
        }
        let path = place.directory.join(format!("lib{name}.so"));
        let bytes = fs::read(&path).at(path.display())?;
        let file = object::File::parse(&*bytes).at(path.display())?;
        let mut shown = Vec::new();
        for symbol in file.dynamic_symbols() {
            let name = symbol.name().at(path.display())?;
            if symbol.is_undefined() && name.starts_with("linnet") {
                return Err(Error::new(format!("{name} is missing")).at(path.display()));
            }
            if symbol.is_definition() {
                shown.push(name.to_owned());
            }
        }
        for wanted in
            ["linnet_module_main", "linnet_store_new", "linnet_libcall_poll", "linnet.type.i_i"]
        {
            if !shown.iter().any(|name| name == wanted) {
                return Err(Error::new(format!("{wanted} is not shown")).at(path.display()));
            }
        }
        if let Some(other) = shown.iter().find(|name| !name.starts_with("linnet")) {
            return Err(Error::new(format!("{other} is shown")).at(path.display()));
        }
    }
    Ok(())
}

fn same_twice(place: &Place) -> Result<()> {
    let script = "for kind in a so; do
            for n in 1 2; do mkdir -p $n; linnet compile main.wasm -o $n/libmain.$kind; done
            cmp 1/libmain.$kind 2/libmain.$kind
        done
        ar t 1/libmain.a";
    expect(&shell(place, script)?, "module.o\nsupport.o\n")
}
