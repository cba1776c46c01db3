//! The module as a whole: everything but the function bodies, checked and in memory.

pub(crate) mod embedded;
pub(crate) mod sections;
pub(crate) mod tail_calls;
pub(crate) mod types;

use crate::error::{Error, Result};
use embedded::Sections;
use linnet_abi::instance::kind;
use std::collections::HashMap;
use wasmparser::{
    FuncToValidate, FuncType, FuncValidator, FuncValidatorAllocations, FunctionBody, ValType,
    ValidatorResources, WasmFeatures,
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
