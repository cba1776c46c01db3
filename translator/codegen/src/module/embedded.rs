//! Modules that a host program embeds: any imports and exports, any number of memories and tables.
//!
//! What the kernel and Linux programs leave to the runtime, an instance of such a module does by itself:
//! a function of the module, `initialize`, evaluates the constant expressions, copies the active segments
//! and calls the start function. The contract is `linnet_abi::instance`.

use super::types;
use crate::error::{Error, Result};
use linnet_abi::instance::{Counts, Layout, external};
use wasmparser::{
    ConstExpr, DataKind, Element, ElementItems, ElementKind, ExternalKind, GlobalType, MemoryType,
    Operator, Payload, TableInit, TableType, TypeRef, WasmFeatures,
};

/// What a standalone module may use. Left out: garbage collection, components, stack switching, and
/// what has not reached the standard. Of garbage collection the validator takes all, because constant
/// expressions may use earlier globals by it; its types and operators are refused by name.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::MEMORY64)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::GC_TYPES);

pub(crate) struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    /// One of [`external`].
    pub kind: u32,
    pub index: u32,
}

pub(crate) struct Global<'a> {
    pub ty: GlobalType,
    /// None if it is imported.
    pub init: Option<ConstExpr<'a>>,
}

pub(crate) struct Table<'a> {
    pub ty: TableType,
    pub init: Option<ConstExpr<'a>>,
}

pub(crate) enum Items<'a> {
    /// `None`: null.
    Functions(Vec<Option<u32>>),
    /// Number of the first one among the instance's values.
    Values(u32, Vec<ConstExpr<'a>>),
}

pub(crate) struct Elements<'a> {
    pub items: Items<'a>,
    /// Table and offset of an active segment.
    pub active: Option<(u32, ConstExpr<'a>)>,
    pub is_declared: bool,
}

impl Elements<'_> {
    pub(crate) fn len(&self) -> usize {
        match &self.items {
            Items::Functions(functions) => functions.len(),
            Items::Values(_, values) => values.len(),
        }
    }
}

/// So many active segments in a row are copied in a loop. Go's linker makes tens of thousands of them.
const MANY: usize = 16;

/// Active segments that follow on each other and go to constant addresses of one memory.
pub(crate) struct Run {
    pub memory: u32,
    pub first_segment: u32,
    pub addresses: Vec<u64>,
}

impl Run {
    pub(crate) fn segments(&self) -> std::ops::Range<usize> {
        let first = self.first_segment as usize;
        first..first + self.addresses.len()
    }
}

/// The sections of a standalone module.
#[derive(Default)]
pub(crate) struct Sections<'a> {
    pub imports: Vec<Import<'a>>,
    /// Name, one of [`external`], index.
    pub exports: Vec<(&'a str, u32, u32)>,
    pub memories: Vec<MemoryType>,
    pub imported_memories: u32,
    pub tables: Vec<Table<'a>>,
    pub imported_tables: u32,
    pub globals: Vec<Global<'a>>,
    pub imported_globals: u32,
    pub imported_tags: u32,
    pub elements: Vec<Elements<'a>>,
    /// For each data segment the memory and the offset, if it is active.
    pub active_data: Vec<Option<(u32, ConstExpr<'a>)>>,
    pub counts: Counts,
    pub layout: Option<Layout>,
}

fn external_kind(kind: ExternalKind) -> Result<u32> {
    Ok(match kind {
        ExternalKind::Func | ExternalKind::FuncExact => external::FUNCTION,
        ExternalKind::Table => external::TABLE,
        ExternalKind::Memory => external::MEMORY,
        ExternalKind::Global => external::GLOBAL,
        ExternalKind::Tag => external::TAG,
    })
}

impl<'a> Sections<'a> {
    /// Takes what concerns standalone modules alone. Functions and tags are counted by the caller.
    pub(crate) fn section(
        &mut self,
        payload: &Payload<'a>,
        functions: &mut Vec<u32>,
        tags: &mut Vec<u32>,
    ) -> Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(&import, functions, tags).map_err(|e| e.at(offset))?;
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone().into_iter_with_offsets() {
                    let (offset, table) = table?;
                    types::reference(table.ty.element_type).map_err(|e| e.at(offset))?;
                    let init = match table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expr) => Some(expr),
                    };
                    self.tables.push(Table { ty: table.ty, init });
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.clone().into_iter_with_offsets() {
                    let (offset, global) = global?;
                    types::value(global.ty.content_type).map_err(|e| e.at(offset))?;
                    self.globals.push(Global { ty: global.ty, init: Some(global.init_expr) });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    let export = export?;
                    self.exports.push((export.name, external_kind(export.kind)?, export.index));
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements.clone().into_iter_with_offsets() {
                    let (offset, element) = element?;
                    self.element(element).map_err(|e| e.at(offset))?;
                }
            }
            Payload::DataSection(segments) => {
                for segment in segments.clone() {
                    self.active_data.push(match segment?.kind {
                        DataKind::Active { memory_index, offset_expr } => {
                            Some((memory_index, offset_expr))
                        }
                        DataKind::Passive => None,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(
        &mut self,
        import: &wasmparser::Import<'a>,
        functions: &mut Vec<u32>,
        tags: &mut Vec<u32>,
    ) -> Result<()> {
        let (kind, index) = match import.ty {
            TypeRef::Func(ty) => {
                functions.push(ty);
                (external::FUNCTION, functions.len() - 1)
            }
            TypeRef::Memory(ty) => {
                self.memories.push(ty);
                self.imported_memories += 1;
                (external::MEMORY, self.memories.len() - 1)
            }
            TypeRef::Table(ty) => {
                types::reference(ty.element_type)?;
                self.tables.push(Table { ty, init: None });
                self.imported_tables += 1;
                (external::TABLE, self.tables.len() - 1)
            }
            TypeRef::Global(ty) => {
                types::value(ty.content_type)?;
                self.globals.push(Global { ty, init: None });
                self.imported_globals += 1;
                (external::GLOBAL, self.globals.len() - 1)
            }
            TypeRef::Tag(ty) => {
                tags.push(ty.func_type_idx);
                self.imported_tags += 1;
                (external::TAG, tags.len() - 1)
            }
            TypeRef::FuncExact(_) => {
                return Err(Error::new("an imported exact function is not supported"));
            }
        };
        let Import { module, name, .. } =
            Import { module: import.module, name: import.name, kind, index: 0 };
        self.imports.push(Import { module, name, kind, index: index as u32 });
        Ok(())
    }

    fn element(&mut self, element: Element<'a>) -> Result<()> {
        let items = match element.items {
            ElementItems::Functions(functions) => {
                let functions = functions.into_iter().map(|f| f.map(Some));
                Items::Functions(functions.collect::<std::result::Result<_, _>>()?)
            }
            ElementItems::Expressions(ty, exprs) => {
                types::reference(ty)?;
                let exprs = exprs.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
                match exprs.iter().map(function_of).collect::<Option<Vec<_>>>() {
                    Some(functions) => Items::Functions(functions),
                    None => {
                        let first = self.counts.values;
                        self.counts.values += exprs.len() as u32;
                        Items::Values(first, exprs)
                    }
                }
            }
        };
        let (active, is_declared) = match element.kind {
            ElementKind::Passive => (None, false),
            ElementKind::Active { table_index, offset_expr } => {
                (Some((table_index.unwrap_or(0), offset_expr)), false)
            }
            ElementKind::Declared => (None, true),
        };
        self.elements.push(Elements { items, active, is_declared });
        Ok(())
    }

    /// Gives everything its place in an instance.
    pub(crate) fn lay_out(&mut self, functions: usize, tags: usize) -> Result<()> {
        self.counts = Counts {
            functions: functions as u32,
            memories: self.memories.len() as u32,
            tables: self.tables.len() as u32,
            globals: self.globals.len() as u32,
            tags: tags as u32,
            data: self.active_data.len() as u32,
            elements: self.elements.len() as u32,
            values: self.counts.values,
        };
        self.layout = Layout::of(&self.counts);
        if self.layout.is_none() {
            return Err(Error::new("an instance of this module would exceed 1 GiB"));
        }
        Ok(())
    }

    /// The long ones, in order.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (segment, active) in (0..).zip(&self.active_data) {
            let Some((memory, offset)) = active else { continue };
            let Some(address) = constant_of(offset) else { continue };
            match runs.last_mut() {
                Some(run) if run.memory == *memory && run.segments().end == segment as usize => {
                    run.addresses.push(address);
                }
                _ => runs.push(Run {
                    memory: *memory,
                    first_segment: segment,
                    addresses: vec![address],
                }),
            }
        }
        runs.retain(|run| run.addresses.len() >= MANY);
        runs
    }

    /// Functions that others than their callers here may call: by a reference, which code can only take of these, or
    /// from outside.
    pub(crate) fn referenced(&self) -> Vec<u32> {
        let exports = self.exports.iter().filter(|(_, kind, _)| *kind == external::FUNCTION);
        let mut all: Vec<u32> = exports.map(|(_, _, index)| *index).collect();
        for elements in &self.elements {
            match &elements.items {
                Items::Functions(functions) => all.extend(functions.iter().flatten()),
                Items::Values(_, values) => all.extend(values.iter().flat_map(functions_in)),
            }
        }
        let tables = self.tables.iter().filter_map(|table| table.init.as_ref());
        let globals = self.globals.iter().filter_map(|global| global.init.as_ref());
        all.extend(tables.chain(globals).flat_map(functions_in));
        all
    }

    pub(crate) fn layout(&self) -> &Layout {
        self.layout.as_ref().expect("laid out when the sections were read")
    }

    /// The type of a memory as the support library and emitted code see it.
    pub(crate) fn memory_type(&self, index: u32) -> linnet_abi::instance::MemoryType {
        let ty = self.memories[index as usize];
        linnet_abi::instance::MemoryType {
            min: ty.initial,
            max: ty.maximum.unwrap_or(u64::MAX),
            page_log2: ty.page_size_log2.unwrap_or(16),
            is_64: u32::from(ty.memory64),
            is_shared: u32::from(ty.shared),
            reserved: 0,
        }
    }
}

/// The index that a constant expression is, if it is just that.
fn constant_of(expr: &ConstExpr) -> Option<u64> {
    let mut operators = expr.get_operators_reader();
    let value = match operators.read().ok()? {
        Operator::I32Const { value } => u64::from(value as u32),
        Operator::I64Const { value } => value as u64,
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(value)
}

/// The function that an element expression names; inner `None`: null. `None`: it is another expression.
fn function_of(expr: &ConstExpr) -> Option<Option<u32>> {
    let mut operators = expr.get_operators_reader();
    let item = match operators.read().ok()? {
        Operator::RefFunc { function_index } => Some(function_index),
        Operator::RefNull { .. } => None,
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(item)
}

/// Functions that a constant expression refers to.
fn functions_in(expr: &ConstExpr) -> Vec<u32> {
    let operators = expr.get_operators_reader().into_iter().flatten();
    let function = |operator| match operator {
        Operator::RefFunc { function_index } => Some(function_index),
        _ => None,
    };
    operators.filter_map(function).collect()
}

/// Whether a module is the kernel's or a program of a boot binary, by what it imports, and not one for
/// hosts. Errors are for the translation to tell.
#[must_use]
pub fn is_for_linux(wasm: &[u8]) -> bool {
    let imports = wasmparser::Parser::new(0).parse_all(wasm).find_map(|payload| match payload {
        Ok(Payload::ImportSection(imports)) => Some(imports),
        _ => None,
    });
    let imports = imports.into_iter().flat_map(|section| section.into_imports());
    let linux = [linnet_abi::calls::USER_MODULE, linnet_abi::calls::HOST_MODULE];
    imports.flatten().any(|import| linux.contains(&import.module))
}
