//! What a host's source needs to know of a module: a C header, or a Rust module.

use crate::error::Result;
use crate::module::Module;
use linnet_abi::instance::external;
use linnet_abi::module::SYMBOL_PREFIX;
use std::collections::HashSet;
use std::fmt::Write as _;
use wasmparser::{FuncType, ValType};

/// Writes into a `String` do not fail.
macro_rules! line {
    ($text:expr, $($arg:tt)*) => {{ let _ = writeln!($text, $($arg)*); }};
}

/// A name as an identifier that is not taken yet.
fn identifier(name: &str, taken: &mut HashSet<String>) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    while !taken.insert(text.clone()) {
        text.push('_');
    }
    text
}

/// Field of `linnet_value`, and C type.
fn c_value(ty: ValType) -> (&'static str, &'static str) {
    match ty {
        ValType::I32 => ("i32", "uint32_t"),
        ValType::I64 => ("i64", "uint64_t"),
        ValType::F32 => ("f32", "float"),
        ValType::F64 => ("f64", "double"),
        ValType::V128 => ("v128", "const uint8_t *"),
        ValType::Ref(_) => ("ref", "uint64_t"),
    }
}

/// Functions and types of `linnet.h`.
const API: [&str; 11] = [
    "linnet_call",
    "linnet_function",
    "linnet_import",
    "linnet_instance",
    "linnet_instantiate",
    "linnet_memory",
    "linnet_message",
    "linnet_module",
    "linnet_store",
    "linnet_store_delete",
    "linnet_store_new",
];

fn type_text(ty: &FuncType) -> String {
    crate::imports::type_text(ty.params(), ty.results())
}

/// The C header of a standalone module.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported.
pub fn c_header(wasm: &[u8], prefix: &str) -> Result<String> {
    let module = Module::parse_as(wasm, true)?;
    let sections = module.standalone.as_ref().expect("parsed as one");
    // A prefix "linnet" must not make these anew.
    let mut taken: HashSet<String> = API.map(str::to_owned).into();
    let upper = identifier(prefix, &mut HashSet::new()).to_uppercase();
    let mut t = String::new();
    line!(t, "/* Written by linnet compile; do not edit. */");
    line!(t, "#ifndef LINNET_{upper}_H\n#define LINNET_{upper}_H\n\n#include <linnet.h>");
    line!(t, "#include <string.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n");
    line!(t, "extern const linnet_module {SYMBOL_PREFIX}{prefix};\n");
    for import in &sections.imports {
        let what = match import.kind {
            external::FUNCTION => type_text(module.function_type(import.index)),
            external::TABLE => "a table".to_owned(),
            external::MEMORY => "a memory".to_owned(),
            external::GLOBAL => "a global".to_owned(),
            _ => "a tag".to_owned(),
        };
        let text = format!("imports {:?} {:?}: {what}", import.module, import.name);
        line!(t, "/* {} */", text.replace("*/", "* /").replace("/*", "/ *"));
    }
    line!(t, "\n/* Numbers of the exports. */\nenum {{");
    taken.insert(format!("{prefix}_export_count"));
    let exports = sections.exports.iter();
    let names: Vec<String> = exports
        .map(|(name, ..)| {
            loop {
                let name = identifier(&format!("{prefix}_{name}"), &mut taken);
                // Its number has a name too.
                if taken.insert(format!("{name}_export")) {
                    break name;
                }
            }
        })
        .collect();
    for (number, name) in names.iter().enumerate() {
        line!(t, "\t{name}_export = {number},");
    }
    line!(t, "\t{prefix}_export_count = {}\n}};\n", names.len());
    for ((_, kind, index), name) in sections.exports.iter().zip(&names) {
        match *kind {
            external::FUNCTION => c_function(&mut t, name, module.function_type(*index)),
            external::MEMORY => {
                line!(t, "/* The memory, and its size in bytes. */");
                line!(
                    t,
                    "static inline uint8_t *{name}(linnet_instance *instance, uint64_t *size)\n{{"
                );
                line!(t, "\treturn linnet_memory(instance, {name}_export, size);\n}}\n");
            }
            _ => {}
        }
    }
    line!(t, "#ifdef __cplusplus\n}}\n#endif\n#endif");
    Ok(t)
}

fn c_function(t: &mut String, name: &str, ty: &FuncType) {
    let mut params = "linnet_instance *instance".to_owned();
    for (i, param) in ty.params().iter().enumerate() {
        let _ = write!(params, ", {} p{i}", c_value(*param).1);
    }
    for (i, result) in ty.results().iter().enumerate() {
        let ty = if *result == ValType::V128 { "uint8_t" } else { c_value(*result).1 };
        let _ = write!(params, ", {ty} *r{i}");
    }
    let count = ty.params().len().max(ty.results().len()).max(1);
    line!(t, "/* {} */", type_text(ty));
    line!(t, "static inline bool {name}({params})\n{{\n\tlinnet_value values[{count}];");
    for (i, param) in ty.params().iter().enumerate() {
        match c_value(*param).0 {
            "v128" => line!(t, "\tmemcpy(values[{i}].v128, p{i}, 16);"),
            field => line!(t, "\tvalues[{i}].{field} = p{i};"),
        }
    }
    line!(t, "\tif (!linnet_call(instance, {name}_export, values))\n\t\treturn false;");
    for (i, result) in ty.results().iter().enumerate() {
        match c_value(*result).0 {
            "v128" => line!(t, "\tmemcpy(r{i}, values[{i}].v128, 16);"),
            field => line!(t, "\t*r{i} = values[{i}].{field};"),
        }
    }
    line!(t, "\treturn true;\n}}\n");
}

/// Variant of `Value`, Rust type.
fn rust_value(ty: ValType) -> (&'static str, &'static str) {
    match ty {
        ValType::I32 => ("I32", "i32"),
        ValType::I64 => ("I64", "i64"),
        ValType::F32 => ("F32", "f32"),
        ValType::F64 => ("F64", "f64"),
        ValType::V128 => ("V128", "u128"),
        ValType::Ref(_) => ("", "Value"),
    }
}

/// The Rust module of a standalone module.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported.
pub fn rust_module(wasm: &[u8], prefix: &str) -> Result<String> {
    let module = Module::parse_as(wasm, true)?;
    let sections = module.standalone.as_ref().expect("parsed as one");
    // What is there anyway, and what cannot be a name even behind `r#`.
    let mut taken: HashSet<String> =
        ["new", "clone", "fmt", "self", "Self", "super", "crate", "_"].map(str::to_owned).into();
    let mut t = String::new();
    line!(t, "// Written by linnet compile; do not edit.");
    line!(t, r#"#[allow(unused_imports, reason = "not every module needs all")]"#);
    line!(
        t,
        "use linnet_embed::{{Imports, Instance, Memory, Module, RawModule, Result, Store, Value}};\n"
    );
    line!(t, "unsafe extern \"C\" {{\n    static {SYMBOL_PREFIX}{prefix}: RawModule;\n}}\n");
    line!(t, "/// The translated module.\n#[must_use]\npub fn module() -> Module {{");
    line!(t, "    // SAFETY: linked from the object that was written together with this file.");
    line!(
        t,
        "    unsafe {{ Module::from_raw(&{SYMBOL_PREFIX}{prefix}) }}.expect(\"of this version\")\n}}\n"
    );
    line!(
        t,
        "/// An instance of it.\n#[derive(Debug, Clone)]\npub struct Exports(pub Instance);\n"
    );
    line!(t, r#"#[allow(dead_code, clippy::all, non_snake_case, reason = "generated")]"#);
    line!(t, "impl Exports {{");
    line!(t, "    /// Makes an instance and runs its start function. It imports:\n    ///");
    for import in &sections.imports {
        line!(t, "    /// * {:?} {:?}", import.module, import.name);
    }
    line!(t, "    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {{");
    line!(t, "        Instance::new(store, &module(), imports).map(Exports)\n    }}");
    for (name, kind, index) in &sections.exports {
        let method = identifier(name, &mut taken);
        match *kind {
            external::FUNCTION => {
                rust_function(&mut t, &method, name, module.function_type(*index));
            }
            external::MEMORY => {
                line!(
                    t,
                    "\n    /// The memory {name:?}.\n    pub fn r#{method}(&self) -> Memory {{"
                );
                line!(t, "        self.0.memory({name:?}).expect(\"exported\")\n    }}");
            }
            _ => {}
        }
    }
    line!(t, "}}");
    Ok(t)
}

fn rust_function(t: &mut String, method: &str, name: &str, ty: &FuncType) {
    let mut params = "&self".to_owned();
    let mut args = Vec::new();
    for (i, param) in ty.params().iter().enumerate() {
        let (variant, rust) = rust_value(*param);
        let _ = write!(params, ", p{i}: {rust}");
        args.push(if variant.is_empty() {
            format!("p{i}")
        } else {
            format!("Value::{variant}(p{i})")
        });
    }
    let types: Vec<_> = ty.results().iter().map(|r| rust_value(*r).1).collect();
    let result = match &types[..] {
        [one] => (*one).to_owned(),
        all => format!("({})", all.join(", ")),
    };
    line!(
        t,
        "\n    /// `{}`\n    pub fn r#{method}({params}) -> Result<{result}> {{",
        type_text(ty)
    );
    line!(t, "        let results = self.0.call({name:?}, &[{}])?;", args.join(", "));
    if types.is_empty() {
        line!(t, "        let _ = results;\n        Ok(())\n    }}");
        return;
    }
    line!(t, "        let mut results = results.into_iter();");
    let values = ty.results().iter().map(|result| {
        let (variant, _) = rust_value(*result);
        let next = "results.next().expect(\"typed\")";
        if variant.is_empty() {
            return next.to_owned();
        }
        format!("match {next} {{ Value::{variant}(value) => value, _ => unreachable!(\"typed\") }}")
    });
    let values: Vec<String> = values.collect();
    match &values[..] {
        [one] => line!(t, "        Ok({one})\n    }}"),
        all => line!(t, "        Ok(({}))\n    }}", all.join(", ")),
    }
}
