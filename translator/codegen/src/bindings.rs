//! What a host's source needs to know of a module: a C header, or a Rust module.

use crate::error::Result;
use crate::module::Module;
use crate::module::embedded::Import;
use linnet_abi::instance::external;
use linnet_abi::module::SYMBOL_PREFIX;
use std::collections::HashSet;
use std::fmt::Write as _;
use wasmparser::{FuncType, GlobalType, ValType};

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
const API: [&str; 18] = [
    "linnet_call",
    "linnet_call_ref",
    "linnet_function",
    "linnet_global_get",
    "linnet_global_set",
    "linnet_import",
    "linnet_instance",
    "linnet_instantiate",
    "linnet_memory",
    "linnet_message",
    "linnet_module",
    "linnet_store",
    "linnet_store_delete",
    "linnet_store_new",
    "linnet_table_get",
    "linnet_table_set",
    "linnet_table_size",
    "linnet_value",
];

fn type_text(ty: &FuncType) -> String {
    crate::imports::type_text(ty.params(), ty.results())
}

/// What a module imports, for readers.
fn import_text(module: &Module, import: &Import) -> String {
    let sections = module.standalone.as_ref().expect("parsed as one");
    let index = import.index as usize;
    let limits = |min: u64, max: Option<u64>| match max {
        Some(max) => format!("{min} to {max}"),
        None => format!("{min} or more"),
    };
    let what = match import.kind {
        external::FUNCTION => type_text(module.function_type(import.index)),
        external::TABLE => {
            let ty = &sections.tables[index].ty;
            format!("a table of {} {}", limits(ty.initial, ty.maximum), ty.element_type)
        }
        external::MEMORY => {
            let ty = &sections.memories[index];
            format!("a memory of {} pages", limits(ty.initial, ty.maximum))
        }
        external::GLOBAL => global_text(&sections.globals[index].ty),
        _ => {
            let ty = &module.types[module.tags[index] as usize];
            format!("a tag {}", crate::imports::list_text(ty.params()))
        }
    };
    format!("{:?} {:?}: {what}", import.module, import.name)
}

fn global_text(ty: &GlobalType) -> String {
    let mutable = if ty.mutable { "a mutable global" } else { "a global" };
    format!("{mutable} {}", ty.content_type)
}

/// What the names of further functions of an export end in.
fn endings(kind: u32) -> &'static [&'static str] {
    match kind {
        external::GLOBAL => &["_export", "_set"],
        external::TABLE => &["_export", "_get", "_set", "_size"],
        _ => &["_export"],
    }
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
        let text = format!("imports {}", import_text(&module, import));
        line!(t, "/* {} */", text.replace("*/", "* /").replace("/*", "/ *"));
    }
    line!(t, "\n/* Numbers of the exports. */\nenum {{");
    taken.insert(format!("{prefix}_export_count"));
    let exports = sections.exports.iter();
    let names: Vec<String> = exports
        .map(|(name, kind, _)| {
            loop {
                let name = identifier(&format!("{prefix}_{name}"), &mut taken);
                // Its number has a name too, and so has what is done with it.
                if endings(*kind).iter().all(|ending| taken.insert(format!("{name}{ending}"))) {
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
            external::GLOBAL => c_global(&mut t, name, &sections.globals[*index as usize].ty),
            external::TABLE => {
                let ty = &sections.tables[*index as usize].ty;
                c_table(&mut t, name, &ty.element_type.to_string());
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

fn c_global(t: &mut String, name: &str, ty: &GlobalType) {
    let (field, c) = c_value(ty.content_type);
    line!(t, "/* {} */", global_text(ty));
    let read = format!(
        "\tlinnet_value read = {{{{0}}}};\n\tlinnet_global_get(instance, {name}_export, &read);"
    );
    if field == "v128" {
        line!(t, "static inline void {name}(linnet_instance *instance, uint8_t *value)\n{{");
        line!(t, "{read}\n\tmemcpy(value, read.v128, 16);\n}}\n");
    } else {
        line!(t, "static inline {c} {name}(linnet_instance *instance)\n{{");
        line!(t, "{read}\n\treturn read.{field};\n}}\n");
    }
    if !ty.mutable {
        return;
    }
    line!(t, "static inline bool {name}_set(linnet_instance *instance, {c} value)\n{{");
    line!(t, "\tlinnet_value written = {{{{0}}}};");
    match field {
        "v128" => line!(t, "\tmemcpy(written.v128, value, 16);"),
        field => line!(t, "\twritten.{field} = value;"),
    }
    line!(t, "\treturn linnet_global_set(instance, {name}_export, &written);\n}}\n");
}

fn c_table(t: &mut String, name: &str, element: &str) {
    line!(t, "/* The table of {element}: its size, and its elements. */");
    line!(t, "static inline uint64_t {name}_size(linnet_instance *instance)\n{{");
    line!(t, "\treturn linnet_table_size(instance, {name}_export);\n}}\n");
    for (what, ty) in [("get", "uint64_t *"), ("set", "uint64_t ")] {
        line!(
            t,
            "static inline bool {name}_{what}(linnet_instance *instance, uint64_t index, {ty}ref)\n{{"
        );
        line!(t, "\treturn linnet_table_{what}(instance, {name}_export, index, ref);\n}}\n");
    }
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
    line!(t, "use linnet_embed::{{");
    line!(
        t,
        "    Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,"
    );
    line!(t, "}};\n");
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
        line!(t, "    /// * {}", import_text(&module, import));
    }
    line!(t, "    pub fn new(store: &Store, imports: &Imports) -> Result<Exports> {{");
    line!(t, "        Instance::new(store, &module(), imports).map(Exports)\n    }}");
    for (name, kind, index) in &sections.exports {
        let method = identifier(name, &mut taken);
        match *kind {
            external::FUNCTION => {
                rust_function(&mut t, &method, name, module.function_type(*index));
            }
            kind => {
                let (what, ty) = match kind {
                    external::MEMORY => ("memory", "Memory"),
                    external::TABLE => ("table", "Table"),
                    external::GLOBAL => ("global", "Global"),
                    _ => ("tag", "Tag"),
                };
                line!(t, "\n    /// The {what} {name:?}.\n    pub fn r#{method}(&self) -> {ty} {{");
                line!(t, "        self.0.{what}({name:?}).expect(\"exported\")\n    }}");
            }
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
