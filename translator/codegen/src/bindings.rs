//! What a host's source needs to know of a module: a C header, or a Rust module.

use crate::error::{Error, Result};
use crate::module::Module;
use crate::module::embedded::{Import, Sections};
use linnet_abi::instance::external;
use linnet_abi::module::SYMBOL_PREFIX;
use std::collections::HashSet;
use std::fmt::Write as _;
use wasmparser::{FuncType, GlobalType, ValType};

/// Writes into a `String` do not fail.
macro_rules! line {
    ($text:expr, $($arg:tt)*) => {{ let _ = writeln!($text, $($arg)*); }};
}

/// What every C header begins with, so that it needs no other file.
const LIBRARY: &str = include_str!("../../../runtime/embed/include/linnet.h");

/// A name as an identifier, or as what follows on a prefix in one.
fn escaped(name: &str, has_prefix: bool) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !has_prefix && (text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit())) {
        text.insert(0, '_');
    }
    text
}

/// A name that is not taken yet.
fn free(mut name: String, taken: &mut HashSet<String>) -> String {
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// Identifiers for names, in their order. A name that is an identifier itself comes before those that are made
/// into the same one.
fn identifiers(names: &[&str], has_prefix: bool, taken: &mut HashSet<String>) -> Vec<String> {
    let mut all: Vec<Option<String>> = vec![None; names.len()];
    for is_exact in [true, false] {
        for (place, name) in all.iter_mut().zip(names) {
            let text = escaped(name, has_prefix);
            if place.is_none() && (text == *name) == is_exact {
                *place = Some(free(text, taken));
            }
        }
    }
    all.into_iter().flatten().collect()
}

/// An export that a host's source gets names for.
struct Export<'a> {
    number: usize,
    name: &'a str,
    kind: u32,
    index: u32,
    identifier: String,
}

/// Those of the names in `only`, or all if it is empty.
fn exports<'a>(
    sections: &Sections<'a>,
    only: &[String],
    has_prefix: bool,
    taken: &mut HashSet<String>,
) -> Result<Vec<Export<'a>>> {
    for name in only {
        if !sections.exports.iter().any(|(known, ..)| known == name) {
            return Err(Error::new(format!("the module exports no {name:?}")));
        }
    }
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let numbered = sections.exports.iter().enumerate();
    let wanted: Vec<_> = numbered.filter(|(_, (name, ..))| is_wanted(name)).collect();
    let names: Vec<_> = wanted.iter().map(|(_, (name, ..))| *name).collect();
    let identifiers = identifiers(&names, has_prefix, taken);
    let all = wanted.into_iter().zip(identifiers);
    let export = |((number, (name, kind, index)), identifier): ((_, &(&'a str, u32, u32)), _)| {
        Export { number, name, kind: *kind, index: *index, identifier }
    };
    Ok(all.map(export).collect())
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

/// Names of a header. `img` with `png_size` and `img_png` with `size` come to the same, in a file that has both. So the
/// name of a definition begins with the length of the prefix: `linnet3_img_png_size`. The other one is a macro, unless
/// there is one already.
struct Header<'a> {
    text: String,
    prefix: &'a str,
    /// Behind the prefix.
    taken: HashSet<String>,
    /// Whole names that are the library's.
    library: HashSet<&'static str>,
}

impl Header<'_> {
    /// The name that something is defined by. The other one is for it from here on.
    fn name(&mut self, identifier: &str) -> String {
        let (short, long) = (self.short(identifier), self.long(identifier));
        line!(self.text, "#ifndef {short}\n#define {short} {long}\n#endif");
        long
    }

    fn short(&self, identifier: &str) -> String {
        let mut name = format!("{}_{identifier}", self.prefix);
        // A prefix "linnet" must not make these anew.
        while self.library.contains(&*name) {
            name.push('_');
        }
        name
    }

    fn long(&self, identifier: &str) -> String {
        format!("linnet{}_{}_{identifier}", self.prefix.len(), self.prefix)
    }

    /// The same for what is done with an export besides.
    fn further(&mut self, identifier: &str, ending: &str) -> String {
        let identifier = free(format!("{identifier}_{ending}"), &mut self.taken);
        self.name(&identifier)
    }
}

/// The C header of a standalone module, with names for the exports in `only`, or for all if that is empty. It stands
/// alone.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported; or it has no such export.
pub fn c_header(wasm: &[u8], prefix: &str, only: &[String]) -> Result<String> {
    let module = Module::parse_as(wasm, true)?;
    let sections = module.standalone.as_ref().expect("parsed as one");
    let words = LIBRARY.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let library = words.filter(|word| word.starts_with("linnet_")).collect();
    let mut taken = HashSet::new();
    let exports = exports(sections, only, true, &mut taken)?;
    let mut header = Header { text: String::new(), prefix, taken, library };
    let t = &mut header.text;
    line!(t, "/* Written by linnet compile; do not edit. */\n{LIBRARY}");
    line!(
        t,
        "#ifndef LINNET_MODULE_{prefix}\n#define LINNET_MODULE_{prefix}\n\n#include <string.h>\n"
    );
    line!(t, "#ifdef __cplusplus\nextern \"C\" {{\n#endif\n");
    line!(t, "extern const linnet_module {SYMBOL_PREFIX}{prefix};\n");
    for (number, import) in sections.imports.iter().enumerate() {
        let text = format!("import {number}: {}", import_text(&module, import));
        line!(t, "/* {} */", text.replace("*/", "* /").replace("/*", "/ *"));
    }
    line!(t, "\n/* Numbers of the exports, and how many there are. */");
    for export in &exports {
        let name = header.further(&export.identifier, "export");
        line!(header.text, "enum {{ {name} = {} }};", export.number);
    }
    let name = header.further("export", "count");
    line!(header.text, "enum {{ {name} = {} }};\n", sections.exports.len());
    for export in &exports {
        let (identifier, number) = (&export.identifier, export.number);
        match export.kind {
            external::FUNCTION => {
                let ty = module.function_type(export.index);
                line!(header.text, "/* {} */", type_text(ty));
                let name = header.name(identifier);
                c_function(&mut header.text, &name, number, ty);
            }
            external::MEMORY => {
                line!(header.text, "/* The memory, and its size in bytes. */");
                let name = header.name(identifier);
                line!(
                    header.text,
                    "static inline uint8_t *{name}(linnet_instance *instance, uint64_t *size)\n{{"
                );
                line!(header.text, "\treturn linnet_memory(instance, {number}, size);\n}}\n");
            }
            external::GLOBAL => {
                c_global(&mut header, export, &sections.globals[export.index as usize].ty);
            }
            external::TABLE => {
                let ty = &sections.tables[export.index as usize].ty;
                c_table(&mut header, export, &ty.element_type.to_string());
            }
            _ => {
                line!(header.text, "/* The tag. */");
                let name = header.name(identifier);
                line!(
                    header.text,
                    "static inline linnet_item *{name}(linnet_instance *instance)\n{{"
                );
                line!(header.text, "\treturn linnet_export(instance, {number});\n}}\n");
            }
        }
    }
    line!(header.text, "#ifdef __cplusplus\n}}\n#endif\n#endif");
    Ok(header.text)
}

fn c_function(t: &mut String, name: &str, number: usize, ty: &FuncType) {
    let mut params = "linnet_instance *instance".to_owned();
    for (i, param) in ty.params().iter().enumerate() {
        let _ = write!(params, ", {} p{i}", c_value(*param).1);
    }
    for (i, result) in ty.results().iter().enumerate() {
        let ty = if *result == ValType::V128 { "uint8_t" } else { c_value(*result).1 };
        let _ = write!(params, ", {ty} *r{i}");
    }
    let count = ty.params().len().max(ty.results().len()).max(1);
    line!(t, "static inline bool {name}({params})\n{{\n\tlinnet_value values[{count}];");
    for (i, param) in ty.params().iter().enumerate() {
        match c_value(*param).0 {
            "v128" => line!(t, "\tmemcpy(values[{i}].v128, p{i}, 16);"),
            field => line!(t, "\tvalues[{i}].{field} = p{i};"),
        }
    }
    line!(t, "\tif (!linnet_call(instance, {number}, values))\n\t\treturn false;");
    for (i, result) in ty.results().iter().enumerate() {
        match c_value(*result).0 {
            "v128" => line!(t, "\tmemcpy(r{i}, values[{i}].v128, 16);"),
            field => line!(t, "\t*r{i} = values[{i}].{field};"),
        }
    }
    line!(t, "\treturn true;\n}}\n");
}

fn c_global(header: &mut Header, export: &Export, ty: &GlobalType) {
    let (field, c) = c_value(ty.content_type);
    let number = export.number;
    line!(header.text, "/* {} */", global_text(ty));
    let name = header.name(&export.identifier);
    let t = &mut header.text;
    let read = format!(
        "\tlinnet_value read = {{{{0}}}};\n\tlinnet_global_get(instance, {number}, &read);"
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
    let name = header.further(&export.identifier, "set");
    let t = &mut header.text;
    line!(t, "static inline bool {name}(linnet_instance *instance, {c} value)\n{{");
    line!(t, "\tlinnet_value written = {{{{0}}}};");
    match field {
        "v128" => line!(t, "\tmemcpy(written.v128, value, 16);"),
        field => line!(t, "\twritten.{field} = value;"),
    }
    line!(t, "\treturn linnet_global_set(instance, {number}, &written);\n}}\n");
}

fn c_table(header: &mut Header, export: &Export, element: &str) {
    let number = export.number;
    line!(header.text, "/* The table of {element}: its size, and its elements. */");
    let name = header.further(&export.identifier, "size");
    line!(header.text, "static inline uint64_t {name}(linnet_instance *instance)\n{{");
    line!(header.text, "\treturn linnet_table_size(instance, {number});\n}}\n");
    for (what, ty) in [("get", "uint64_t *"), ("set", "uint64_t ")] {
        let name = header.further(&export.identifier, what);
        let t = &mut header.text;
        line!(
            t,
            "static inline bool {name}(linnet_instance *instance, uint64_t index, {ty}ref)\n{{"
        );
        line!(t, "\treturn linnet_table_{what}(instance, {number}, index, ref);\n}}\n");
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

/// The Rust module of a standalone module, with methods for the exports in `only`, or for all if that is empty.
///
/// # Errors
///
/// The module is malformed, or uses something that is not supported; or it has no such export.
pub fn rust_module(wasm: &[u8], prefix: &str, only: &[String]) -> Result<String> {
    let module = Module::parse_as(wasm, true)?;
    let sections = module.standalone.as_ref().expect("parsed as one");
    // What is there anyway, and what cannot be a name even behind `r#`.
    let mut taken: HashSet<String> =
        ["new", "clone", "fmt", "self", "Self", "super", "crate", "_"].map(str::to_owned).into();
    let exports = exports(sections, only, false, &mut taken)?;
    let mut t = String::new();
    line!(t, "// Written by linnet compile; do not edit.");
    line!(t, r#"#[allow(unused_imports, reason = "not every module needs all")]"#);
    line!(t, "use linnet_embed::{{");
    line!(
        t,
        "    Extern, Global, Imports, Instance, Memory, Module, RawModule, Result, Store, Table, Tag, Value,"
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
    for Export { number, name, kind, index, identifier } in &exports {
        match *kind {
            external::FUNCTION => {
                rust_function(&mut t, identifier, *number, module.function_type(*index));
            }
            kind => {
                let (what, ty) = match kind {
                    external::MEMORY => ("memory", "Memory"),
                    external::TABLE => ("table", "Table"),
                    external::GLOBAL => ("global", "Global"),
                    _ => ("tag", "Tag"),
                };
                line!(
                    t,
                    "\n    /// The {what} {name:?}.\n    pub fn r#{identifier}(&self) -> {ty} {{"
                );
                line!(t, "        match self.0.export_at({number}) {{");
                line!(t, "            Some(Extern::{ty}({what})) => {what},");
                line!(t, "            _ => unreachable!(\"exported\"),\n        }}\n    }}");
            }
        }
    }
    line!(t, "}}");
    Ok(t)
}

fn rust_function(t: &mut String, method: &str, number: usize, ty: &FuncType) {
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
    line!(t, "        let results = self.0.call_at({number}, &[{}])?;", args.join(", "));
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
