//! The module as a whole: everything but the function bodies, checked and in memory.

pub(crate) mod embedded;
pub(crate) mod tail_calls;
pub(crate) mod types;

use crate::error::{Error, Result};
use embedded::Sections;
use linnet_abi::context::GLOBAL_SLOTS;
use linnet_abi::instance::kind;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FuncToValidate, FuncType,
    FuncValidator, FuncValidatorAllocations, FunctionBody, KnownCustom, Name, Operator, Parser,
    Payload, RefType, TypeRef, ValType, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

/// What a module may use. Everything else is an error with the feature's name.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    // For references to exceptions. The others are refused by name.
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::FLOATS)
    // Not a proposal: how the parser represents function types.
    .union(WasmFeatures::GC_TYPES);

/// Table entries that a module may ask for; far above any real program.
const MAX_TABLE: u64 = 1 << 24;

pub(crate) struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    /// Where the import section has it.
    pub offset: u64,
}

/// Where a global lives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Storage {
    /// Immutable: the value is in the code.
    Constant,
    /// Mutable: number of its first context slot.
    Slot(u32),
    /// At that offset in the instance.
    Instance(i32),
    /// Its address is at that offset in the instance.
    Imported(i32),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Global {
    pub ty: ValType,
    pub storage: Storage,
    /// Initial value, as the little-endian bits of its type.
    pub value: u128,
}

/// A function body that has yet to be validated.
pub(crate) struct Body<'a> {
    pub validate: FuncToValidate<ValidatorResources>,
    pub body: FunctionBody<'a>,
}

impl Body<'_> {
    pub(crate) fn validator(
        &self,
        allocations: FuncValidatorAllocations,
    ) -> FuncValidator<ValidatorResources> {
        let FuncToValidate { ref resources, index, ty, features } = self.validate;
        FuncToValidate { resources: resources.clone(), index, ty, features }
            .into_validator(allocations)
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// Address, if it is copied when the module starts.
    pub address: Option<u32>,
    pub bytes: &'a [u8],
}

impl Segment<'_> {
    /// Bytes that `memory.init` may take. An active segment counts as dropped.
    pub(crate) fn passive_len(&self) -> usize {
        if self.address.is_none() { self.bytes.len() } else { 0 }
    }
}

#[derive(Default)]
pub(crate) struct Module<'a> {
    /// SHA-256 of the file.
    pub id: [u8; 32],
    pub types: Vec<FuncType>,
    /// For each type, the first one equal to it.
    pub canonical: Vec<u32>,
    /// Imported functions come first in the function space.
    pub imports: Vec<Import<'a>>,
    /// Type of every function, imported ones included.
    pub functions: Vec<u32>,
    /// Type of every exception tag.
    pub tags: Vec<u32>,
    pub globals: Vec<Global>,
    pub slots_used: u32,
    pub has_memory: bool,
    pub memory_pages: u64,
    /// Function in each entry of table 0.
    pub table: Vec<Option<u32>>,
    pub function_exports: Vec<(&'a str, u32)>,
    pub tag_exports: Vec<(&'a str, u32)>,
    pub global_exports: Vec<(&'a str, u32)>,
    pub start: Option<u32>,
    pub segments: Vec<Segment<'a>>,
    pub bodies: Vec<Body<'a>>,
    /// Where the contents of the code section begin in the file.
    pub code_start: u64,
    /// Those that hold DWARF, by name.
    pub debug_sections: HashMap<&'a str, &'a [u8]>,
    /// Of a module that a host program embeds.
    pub standalone: Option<Box<Sections<'a>>>,
    /// Spellings of the function types of such a module.
    pub type_names: Vec<String>,
    function_names: HashMap<u32, &'a str>,
    global_names: HashMap<u32, &'a str>,
}

impl<'a> Module<'a> {
    /// The kernel, or a program of a boot binary.
    pub(crate) fn parse(wasm: &'a [u8]) -> Result<Module<'a>> {
        Module::parse_as(wasm, false)
    }

    pub(crate) fn parse_as(wasm: &'a [u8], standalone: bool) -> Result<Module<'a>> {
        if !wasm.starts_with(b"\0asm") {
            let hint = if wasm.trim_ascii_start().starts_with(b"(") {
                "this looks like the text format; wat2wasm makes a module of it"
            } else {
                "programs are linked with wasm-ld; a native executable has no translation"
            };
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

    /// Where a body begins in the code section's contents.
    pub(crate) fn code_address(&self, body: &FunctionBody) -> u32 {
        (body.range().start - self.code_start) as u32
    }

    pub(crate) fn imported(&self) -> u32 {
        self.imports.len() as u32
    }

    /// Name of a function for people; empty if the module has none.
    pub(crate) fn function_name(&self, index: u32) -> &'a str {
        if let Some(name) = self.function_names.get(&index) {
            return name;
        }
        match self.imports.get(index as usize) {
            Some(import) => import.name,
            None => self.function_exports.iter().find(|e| e.1 == index).map_or("", |e| e.0),
        }
    }

    /// A function of the module itself, by its exported name or its name in the name section.
    pub(crate) fn defined_function(&self, name: &str) -> Option<u32> {
        let own = self.imported()..self.functions.len() as u32;
        let named = self
            .function_names
            .iter()
            .filter(|e| *e.1 == name && own.contains(e.0))
            .map(|e| *e.0)
            .min();
        self.exported_function(name).filter(|f| own.contains(f)).or(named)
    }

    pub(crate) fn function_type(&self, index: u32) -> &FuncType {
        &self.types[self.functions[index as usize] as usize]
    }

    pub(crate) fn exported_function(&self, name: &str) -> Option<u32> {
        self.function_exports.iter().find(|e| e.0 == name).map(|e| e.1)
    }

    pub(crate) fn exported_tag(&self, name: &str) -> Option<u32> {
        self.tag_exports.iter().find(|e| e.0 == name).map(|e| e.1)
    }

    /// Number of a type in [`linnet_abi::module::TableEntry::signature`]; never 0.
    pub(crate) fn signature(&self, ty: u32) -> u32 {
        self.canonical[ty as usize] + 1
    }

    /// Number of the first type with these parameters and results, if the module has one.
    pub(crate) fn find_type(&self, params: &[ValType], results: &[ValType]) -> Option<u32> {
        let ty = self.types.iter().position(|t| t.params() == params && t.results() == results)?;
        Some(ty as u32)
    }

    /// Types, one of each kind, that take the first of the parameters of `ty`, or all of them, with
    /// the same results (true) or with none where it has one (false). Where it has none, they may give
    /// one, which a register holds.
    pub(crate) fn compatible_types(&self, ty: u32) -> Vec<(u32, bool)> {
        let wanted = &self.types[ty as usize];
        let fits = |(number, candidate): (u32, &FuncType)| {
            if self.canonical[number as usize] != number
                || number == self.canonical[ty as usize]
                || !wanted.params().starts_with(candidate.params())
            {
                return None;
            }
            match (wanted.results().len(), candidate.results().len()) {
                _ if wanted.results() == candidate.results() => Some((number, true)),
                (0, 1) => Some((number, true)),
                (1, 0) => Some((number, false)),
                _ => None,
            }
        };
        (0..).zip(&self.types).filter_map(fits).collect()
    }

    /// A global by its exported name or, failing that, by its name in the name section.
    pub(crate) fn find_global(&self, name: &str) -> Option<u32> {
        let exported = self.global_exports.iter().find(|e| e.0 == name).map(|e| e.1);
        // The validator does not look at names: they may name what is not there.
        let named = self
            .global_names
            .iter()
            .filter(|e| *e.1 == name && (*e.0 as usize) < self.globals.len());
        exported.or_else(|| named.map(|e| *e.0).min())
    }

    /// Context slot of a mutable global by name.
    pub(crate) fn find_slot(&self, name: &str) -> Option<u32> {
        match self.globals[self.find_global(name)? as usize].storage {
            Storage::Slot(slot) => Some(slot),
            _ => None,
        }
    }
}

/// Of all references, a program of Linux has those to exceptions.
pub(crate) fn check_value(ty: ValType) -> Result<()> {
    let ValType::Ref(ty) = ty else { return Ok(()) };
    match types::reference(ty) {
        Ok((kind::EXN | kind::NO_EXN, _)) => Ok(()),
        _ => Err(Error::unsupported("reference types")),
    }
}
