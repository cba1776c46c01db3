//! Reads the sections of a module.

use super::{
    Body, FEATURES, Global, Import, MAX_TABLE, Module, Segment, Storage, check_value, embedded,
    types,
};
use crate::error::{Error, Result};
use linnet_abi::context::GLOBAL_SLOTS;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, KnownCustom, Name, Operator,
    Parser, Payload, RefType, TypeRef, ValType, ValidPayload, Validator,
};
/// How other kinds of files begin, and what to do about each.
const OTHERS: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "this is compressed; gunzip makes a module of it"),
    (b"\x28\xb5\x2f\xfd", "this is compressed; unzstd makes a module of it"),
    (b"\xfd7zXZ\0", "this is compressed; unxz makes a module of it"),
    (b"BZh", "this is compressed; bunzip2 makes a module of it"),
    (b"PK\x03\x04", "this is a zip archive; unpack it"),
    (b"!<arch>\n", "this is an archive of objects; wasm-ld links a module of it"),
    (b"BC\xc0\xde", "this is LLVM bitcode; link it with wasm-ld"),
];

/// What to do about a file that is no module.
fn hint_for(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii_start().starts_with(b"(") {
        return "this looks like the text format; wat2wasm makes a module of it";
    }
    let known = OTHERS.iter().find(|(start, _)| bytes.starts_with(start));
    let other = "programs are linked with wasm-ld; a native executable has no translation";
    known.map_or(other, |(_, hint)| hint)
}

/// The memory that objects import before they are linked, and nothing else does.
const OBJECT_MEMORY: (&str, &str) = ("env", "__linear_memory");

/// Whether an import shows that this is an object of a compiler, to be linked.
#[must_use]
pub fn is_objects_import(module: &str, name: &str) -> bool {
    (module, name) == OBJECT_MEMORY
}

/// An object of a compiler translates, but its addresses are all wrong.
fn check_linked(payload: &Payload) -> Result<()> {
    let Payload::ImportSection(imports) = payload else { return Ok(()) };
    for import in imports.clone().into_imports_with_offsets() {
        let (offset, import) = import?;
        if is_objects_import(import.module, import.name) {
            let error = Error::new("this is an object of a compiler, not a linked module");
            return Err(error.at(offset).hint("link it with wasm-ld or `linnet cc`"));
        }
    }
    Ok(())
}

impl<'a> Module<'a> {
    /// The kernel, or a program of a boot binary.
    pub(crate) fn parse(wasm: &'a [u8]) -> Result<Module<'a>> {
        Module::parse_as(wasm, false)
    }

    pub(crate) fn parse_as(wasm: &'a [u8], standalone: bool) -> Result<Module<'a>> {
        if !wasm.starts_with(b"\0asm") {
            let hint = hint_for(wasm);
            return Err(Error::new("not a WebAssembly module: it does not start with \"\\0asm\"")
                .at(0)
                .hint(hint));
        }
        let mut module = Module { id: Sha256::digest(wasm).into(), ..Module::default() };
        let features = if standalone { embedded::FEATURES } else { FEATURES };
        module.standalone = standalone.then(Box::default);
        let mut validator = Validator::new_with_features(features);
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Payload::Version { encoding: wasmparser::Encoding::Component, .. } = payload {
                return Err(Error::new("components are not supported, only core modules").at(4));
            }
            check_linked(&payload)?;
            if let ValidPayload::Func(validate, body) = validator.payload(&payload)? {
                module.bodies.push(Body { validate, body });
            }
            match module.standalone.take() {
                Some(mut sections) => {
                    sections.section(&payload, &mut module.functions, &mut module.tags)?;
                    module.standalone = Some(sections);
                    module.shared_section(payload)?;
                }
                None => module.section(payload)?,
            }
        }
        module.number_slots()?;
        module.place_globals()?;
        Ok(module)
    }

    /// A section of a standalone module, as far as it is the same as in others.
    fn shared_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    if let TypeRef::Func(_) = import.ty {
                        self.imports.push(Import {
                            module: import.module,
                            name: import.name,
                            offset,
                        });
                    }
                }
                Ok(())
            }
            Payload::DataSection(segments) => {
                for segment in segments {
                    self.segments.push(Segment { address: None, bytes: segment?.data });
                }
                Ok(())
            }
            Payload::TypeSection(_)
            | Payload::FunctionSection(_)
            | Payload::TagSection(_)
            | Payload::ExportSection(_)
            | Payload::StartSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_) => self.section(payload),
            _ => Ok(()),
        }
    }

    /// Gives everything in an instance of a standalone module its place.
    fn place_globals(&mut self) -> Result<()> {
        let Some(sections) = &mut self.standalone else { return Ok(()) };
        sections.lay_out(self.functions.len(), self.tags.len())?;
        let first = sections.layout().globals;
        for (i, global) in sections.globals.iter().enumerate() {
            let at = first as i32 + 16 * i as i32;
            let storage = if global.init.is_none() && global.ty.mutable {
                Storage::Imported(at)
            } else {
                Storage::Instance(at)
            };
            self.globals.push(Global { ty: global.ty.content_type, storage, value: 0 });
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => {
                let mut first = HashMap::new();
                let start = types.range().start;
                for ty in types.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    if self.standalone.is_none() {
                        let values = ty.params().iter().chain(ty.results());
                        values.copied().try_for_each(check_value).map_err(|e| e.at(start))?;
                    }
                    let index = self.types.len() as u32;
                    // Types that refer to others may be equal and look different.
                    let name = match self.standalone {
                        Some(_) => types::spell(&ty, &self.type_names).map_err(|e| e.at(start))?,
                        None => String::new(),
                    };
                    self.canonical.push(
                        *first
                            .entry((name.clone(), self.standalone.is_none().then(|| ty.clone())))
                            .or_insert(index),
                    );
                    self.type_names.push(name);
                    self.types.push(ty);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(offset, import)?;
                }
            }
            Payload::FunctionSection(types) => {
                for ty in types {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => {
                for (number, table) in tables.into_iter_with_offsets().enumerate() {
                    let (offset, table) = table?;
                    if number > 0 {
                        return Err(Error::unsupported("multiple tables").at(offset));
                    }
                    if table.ty.element_type != RefType::FUNCREF {
                        return Err(Error::unsupported("reference types").at(offset));
                    }
                    if table.ty.initial > MAX_TABLE {
                        let message =
                            format!("a table of {} entries is not supported", table.ty.initial);
                        return Err(Error::new(message).at(offset));
                    }
                    self.table = vec![None; table.ty.initial as usize];
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.has_memory = true;
                    self.memory_pages = memory?.initial;
                }
            }
            Payload::TagSection(tags) => {
                for tag in tags {
                    self.tags.push(tag?.func_type_idx);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.into_iter_with_offsets() {
                    let (offset, global) = global?;
                    if matches!(global.ty.content_type, ValType::Ref(_)) {
                        return Err(Error::unsupported("reference types").at(offset));
                    }
                    let value = self.constant(&global.init_expr, offset)?;
                    // The slot is given once all globals are known.
                    let storage =
                        if global.ty.mutable { Storage::Slot(0) } else { Storage::Constant };
                    self.globals.push(Global { ty: global.ty.content_type, storage, value });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func => {
                            self.function_exports.push((export.name, export.index))
                        }
                        ExternalKind::Global => {
                            self.global_exports.push((export.name, export.index))
                        }
                        ExternalKind::Tag => self.tag_exports.push((export.name, export.index)),
                        _ => {}
                    }
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(elements) => {
                for element in elements.into_iter_with_offsets() {
                    let (offset, element) = element?;
                    self.element(offset, element)?;
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments.into_iter_with_offsets() {
                    let (offset, segment) = segment?;
                    let address = match &segment.kind {
                        DataKind::Active { offset_expr, .. } => {
                            Some(self.constant(offset_expr, offset)? as u32)
                        }
                        DataKind::Passive => None,
                    };
                    self.segments.push(Segment { address, bytes: segment.data });
                }
            }
            Payload::CodeSectionStart { unchecked_range, .. } => {
                self.code_start = unchecked_range.start;
            }
            Payload::CustomSection(section) => {
                if section.name().starts_with(".debug_") {
                    self.debug_sections.insert(section.name(), section.data());
                }
                if let KnownCustom::Name(names) = section.as_known() {
                    self.names(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, offset: u64, import: wasmparser::Import<'a>) -> Result<()> {
        let what = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push(ty);
                self.imports.push(Import { module: import.module, name: import.name, offset });
                return Ok(());
            }
            TypeRef::Memory(memory) => {
                self.has_memory = true;
                self.memory_pages = memory.initial;
                return Ok(());
            }
            TypeRef::Global(_) => "global",
            TypeRef::Table(_) => "table",
            TypeRef::Tag(_) => "exception tag",
            TypeRef::FuncExact(_) => "exact function",
        };
        Err(Error::new(format!(
            "an imported {what} is not supported ({}.{})",
            import.module, import.name
        ))
        .at(offset)
        .hint("link the module statically; position-independent modules are not supported"))
    }

    fn element(&mut self, offset: u64, element: wasmparser::Element<'a>) -> Result<()> {
        let ElementKind::Active { offset_expr, .. } = element.kind else {
            // Without table.init, which is rejected, such a segment has no effect.
            return Ok(());
        };
        let ElementItems::Functions(functions) = element.items else {
            return Err(Error::new("element expressions are not supported").at(offset));
        };
        let first = self.constant(&offset_expr, offset)? as u32 as usize;
        for (i, function) in functions.into_iter().enumerate() {
            let function = function?;
            let Some(entry) = self.table.get_mut(first + i) else {
                return Err(Error::new("an element segment does not fit the table").at(offset));
            };
            *entry = Some(function);
        }
        Ok(())
    }

    /// Value of a constant expression.
    fn constant(&self, expr: &ConstExpr<'a>, offset: u64) -> Result<u128> {
        let mut operators = expr.get_operators_reader();
        let value = match operators.read()? {
            Operator::I32Const { value } => u128::from(value as u32),
            Operator::I64Const { value } => u128::from(value as u64),
            Operator::F32Const { value } => u128::from(value.bits()),
            Operator::F64Const { value } => u128::from(value.bits()),
            Operator::V128Const { value } => u128::from_le_bytes(*value.bytes()),
            Operator::GlobalGet { global_index }
                if (global_index as usize) < self.globals.len() =>
            {
                self.globals[global_index as usize].value
            }
            _ => return Err(Error::new("this constant expression is not supported").at(offset)),
        };
        Ok(value)
    }

    /// Gives every mutable global its place in the context.
    fn number_slots(&mut self) -> Result<()> {
        let mut next = 0u32;
        for global in &mut self.globals {
            if let Storage::Slot(slot) = &mut global.storage {
                let width = if global.ty == ValType::V128 { 2 } else { 1 };
                next = next.next_multiple_of(width);
                *slot = next;
                next += width;
            }
        }
        if next as usize > GLOBAL_SLOTS {
            return Err(Error::new(format!(
                "the mutable globals take {next} words, {GLOBAL_SLOTS} are supported"
            )));
        }
        self.slots_used = next;
        Ok(())
    }

    /// A damaged name section is no reason to reject a module: names are only for people.
    fn names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for subsection in names.into_iter().map_while(std::result::Result::ok) {
            let (map, names) = match subsection {
                Name::Function(names) => (&mut self.function_names, names),
                Name::Global(names) => (&mut self.global_names, names),
                _ => continue,
            };
            map.extend(
                names.into_iter().map_while(std::result::Result::ok).map(|n| (n.index, n.name)),
            );
        }
    }
}
