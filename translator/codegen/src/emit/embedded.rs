//! What a standalone module's descriptor has besides: `linnet_abi::instance::Standalone`.

use super::table::{Address, Table, fields};
use super::{Emitter, failed};
use crate::error::Result;
use crate::func::Compiled;
use crate::module::Module;
use crate::module::embedded::{Items, Sections};
use crate::module::types;
use crate::names::data;
use crate::names::thunk::{self, INITIALIZE};
use crate::trampoline::Trampoline;
use cranelift_module::{DataId, Module as _};
use linnet_abi::instance::{
    Counts, ElementInfo, Export, FuncType, FunctionInfo, GlobalType, Import, MemoryType, Place,
    Standalone, TYPE_PREFIX, TableType, Text, ValueType,
};
use std::mem::offset_of;
use wasmparser::ValType;

/// Symbol of the function type of that spelling.
pub(super) fn type_symbol(spelling: &str) -> String {
    format!("{TYPE_PREFIX}{spelling}")
}

impl<'m> Emitter<'_, 'm, '_> {
    /// Emits the tables; the address is that of the [`Standalone`].
    pub(super) fn embedded(
        &mut self,
        sections: &Sections,
        functions: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<Address> {
        let (first_places, places) = self.places(functions, trampolines);
        let module = self.env.module;
        self.types(module)?;

        let mut texts = Table { align: 1, ..Table::new() };
        let texts_id = self.declare_local("linnet.texts")?;
        let mut imports = Table::new();
        for import in &sections.imports {
            let row = imports.row::<Import>();
            let place = row + offset_of!(Import, module);
            text(&mut imports, place, import.module, &mut texts, texts_id);
            let place = row + offset_of!(Import, name);
            text(&mut imports, place, import.name, &mut texts, texts_id);
            fields!(imports, row, Import { kind: import.kind, index: import.index });
        }
        let mut exports = Table::new();
        for (name, kind, index) in &sections.exports {
            let row = exports.row::<Export>();
            let place = row + offset_of!(Export, name);
            text(&mut exports, place, name, &mut texts, texts_id);
            fields!(exports, row, Export { kind: *kind, index: *index });
        }
        self.define_table(texts_id, texts)?;

        let mut memories = Table::new();
        for index in 0..sections.memories.len() as u32 {
            let ty = sections.memory_type(index);
            let row = memories.row::<MemoryType>();
            memories.put_u64(row + offset_of!(MemoryType, min), ty.min);
            memories.put_u64(row + offset_of!(MemoryType, max), ty.max);
            let MemoryType { page_log2, is_64, is_shared, .. } = ty;
            fields!(
                memories,
                row,
                MemoryType { page_log2: page_log2, is_64: is_64, is_shared: is_shared }
            );
        }
        let mut tables = Table::new();
        for table in &sections.tables {
            let row = tables.row::<TableType>();
            let element = ValType::Ref(table.ty.element_type);
            self.value_type(&mut tables, row + offset_of!(TableType, element), element)?;
            tables.put_u64(row + offset_of!(TableType, min), table.ty.initial);
            let max = table.ty.maximum.unwrap_or(u64::MAX);
            tables.put_u64(row + offset_of!(TableType, max), max);
            fields!(tables, row, TableType { is_64: u32::from(table.ty.table64) });
        }
        let mut globals = Table::new();
        for global in &sections.globals {
            let row = globals.row::<GlobalType>();
            let place = row + offset_of!(GlobalType, value);
            self.value_type(&mut globals, place, global.ty.content_type)?;
            fields!(globals, row, GlobalType { is_mutable: u32::from(global.ty.mutable) });
        }
        let mut tags = Table::new();
        for tag in &module.tags {
            let row = tags.row::<u64>();
            self.put_type(&mut tags, row, *tag);
        }
        let mut lengths = Table::new();
        for segment in &module.segments {
            let row = lengths.row::<u64>();
            lengths.put_u64(row, segment.bytes.len() as u64);
        }
        let infos = self.functions_table(module);
        let elements = self.elements(sections)?;

        let mut t = Table::new();
        let row = t.row::<Standalone>();
        let c = &sections.counts;
        let counts = row + offset_of!(Standalone, counts);
        fields!(
            t,
            counts,
            Counts {
                functions: c.functions,
                memories: c.memories,
                tables: c.tables,
                globals: c.globals,
                tags: c.tags,
                data: c.data,
                elements: c.elements,
                values: c.values,
            }
        );
        fields!(
            t,
            row,
            Standalone {
                import_count: sections.imports.len() as u32,
                export_count: sections.exports.len() as u32,
            }
        );
        for (at, name, table) in [
            (offset_of!(Standalone, imports), "linnet.imports", imports),
            (offset_of!(Standalone, exports), "linnet.exports", exports),
            (offset_of!(Standalone, functions), "linnet.function_types", infos),
            (offset_of!(Standalone, memories), "linnet.memories", memories),
            (offset_of!(Standalone, tables), "linnet.tables", tables),
            (offset_of!(Standalone, globals), "linnet.global_types", globals),
            (offset_of!(Standalone, tags), "linnet.tags", tags),
            (offset_of!(Standalone, data), "linnet.lengths", lengths),
            (offset_of!(Standalone, elements), "linnet.elements", elements),
            (offset_of!(Standalone, first_places), "linnet.first_places", first_places),
            (offset_of!(Standalone, places), "linnet.places", places),
        ] {
            let address = self.local_table(name, table)?;
            t.put_address(row + at, address);
        }
        if let Some(initialize) = self.trampolines[INITIALIZE as usize] {
            let at = offset_of!(Standalone, initialize);
            t.put_address(row + at, Address::Function(initialize));
        }
        self.local_table("linnet.standalone", t)
    }

    /// Where the code comes from, in the order of the function table.
    fn places(&self, functions: &[Compiled], trampolines: &[Trampoline]) -> (Table, Table) {
        let code_start = self.env.module.code_start as u32;
        let (mut firsts, mut places) = (Table::new(), Table::new());
        let mut count = 0;
        let own = self.own_codes(functions).into_iter().map(|(_, _, code)| code);
        for code in own.chain(trampolines.iter().map(|t| &t.code)) {
            let row = firsts.row::<u32>();
            firsts.put_u32(row, count);
            let mut last = None;
            for (offset, address) in &code.locations {
                if last != Some(*address) {
                    let row = places.row::<Place>();
                    let wasm_offset = address + code_start;
                    fields!(places, row, Place { offset: *offset, wasm_offset: wasm_offset });
                    last = Some(*address);
                    count += 1;
                }
            }
        }
        let row = firsts.row::<u32>();
        firsts.put_u32(row, count);
        (firsts, places)
    }

    fn declare_local(&mut self, name: &str) -> Result<DataId> {
        self.object
            .declare_data(name, cranelift_module::Linkage::Local, false, false)
            .map_err(failed)
    }

    /// The function types that the module has.
    fn types(&mut self, module: &Module) -> Result<()> {
        for (i, ty) in (0..).zip(&module.types) {
            if module.canonical[i as usize] != i {
                continue;
            }
            let mut values = Table::new();
            for value in ty.params().iter().chain(ty.results()) {
                let row = values.row::<ValueType>();
                self.value_type(&mut values, row, *value)?;
            }
            let name = format!("linnet.values.{}", module.type_names[i as usize]);
            let values = self.local_table(&name, values)?;
            let mut t = Table::new();
            let row = t.row::<FuncType>();
            fields!(
                t,
                row,
                FuncType {
                    param_count: ty.params().len() as u32,
                    result_count: ty.results().len() as u32,
                }
            );
            t.put_address(row + offset_of!(FuncType, types), values);
            for (at, number) in [
                (offset_of!(FuncType, enter), thunk::enter_number(i)),
                (offset_of!(FuncType, host), thunk::host_number(i)),
            ] {
                if let Some(id) = self.trampolines[number as usize] {
                    t.put_address(row + at, Address::Function(id));
                }
            }
            if let Some(id) = self.type_data(i) {
                self.define_table(id, t)?;
            }
        }
        Ok(())
    }

    fn type_data(&self, ty: u32) -> Option<DataId> {
        let canonical = self.env.module.canonical[ty as usize];
        let number = data::FIRST_SEGMENT as usize + self.env.module.segments.len();
        self.data[number + canonical as usize]
    }

    fn put_type(&self, table: &mut Table, at: usize, ty: u32) {
        if let Some(id) = self.type_data(ty) {
            table.put_address(at, Address::Data(id));
        }
    }

    fn value_type(&self, table: &mut Table, row: usize, ty: ValType) -> Result<()> {
        let (kind, nullable, concrete) = types::value(ty)?;
        fields!(table, row, ValueType { kind: kind, nullable: u32::from(nullable) });
        if let Some(concrete) = concrete {
            self.put_type(table, row + offset_of!(ValueType, concrete), concrete);
        }
        Ok(())
    }

    fn functions_table(&self, module: &Module) -> Table {
        let mut functions = Table::new();
        for (i, ty) in (0..).zip(&module.functions) {
            let row = functions.row::<FunctionInfo>();
            self.put_type(&mut functions, row + offset_of!(FunctionInfo, ty), *ty);
            let own = self.functions[i as usize];
            let (code, tail) = match self.wrapper(i) {
                Some(wrapper) => (Some(wrapper), own),
                None => (own, None),
            };
            for (at, id) in
                [(offset_of!(FunctionInfo, code), code), (offset_of!(FunctionInfo, tail), tail)]
            {
                if let Some(id) = id {
                    functions.put_address(row + at, Address::Function(id));
                }
            }
        }
        functions
    }

    fn elements(&mut self, sections: &Sections) -> Result<Table> {
        let mut elements = Table::new();
        for (i, segment) in sections.elements.iter().enumerate() {
            let row = elements.row::<ElementInfo>();
            let len = if segment.is_declared { 0 } else { segment.len() as u32 };
            match &segment.items {
                Items::Functions(functions) => {
                    let mut numbers = Table::new();
                    for function in functions {
                        let at = numbers.row::<u32>();
                        numbers.put_u32(at, function.unwrap_or(u32::MAX));
                    }
                    let numbers = self.local_table(&format!("linnet.element.{i}"), numbers)?;
                    elements.put_address(row + offset_of!(ElementInfo, functions), numbers);
                    fields!(elements, row, ElementInfo { len: len });
                }
                Items::Values(first, _) => {
                    fields!(elements, row, ElementInfo { len: len, first_value: *first });
                }
            }
        }
        Ok(elements)
    }
}

/// Writes a [`Text`] whose bytes go behind those of the others.
fn text(table: &mut Table, at: usize, text: &str, texts: &mut Table, id: DataId) {
    let start = texts.bytes.len() as i64;
    texts.bytes.extend_from_slice(text.as_bytes());
    table.put_address(at + offset_of!(Text, bytes), Address::Inside(id, start));
    table.put_u64(at + offset_of!(Text, len), text.len() as u64);
}
