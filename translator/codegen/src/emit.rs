//! The object file: code, the tables beside it, and the symbols that others see.

use crate::compile::{Code, Referent, Relocation, data, namespace};
use crate::debug::{self, Defined};
use crate::error::{Error, Result};
use crate::frames::{
    self,
    tables::{Own, Tables},
};
use crate::func::{Compiled, Env};
use crate::image::Image;
use crate::imports;
use crate::libcall;
use crate::standalone::thunk;
use crate::trampoline::{self, Trampoline};
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module as _, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule, ObjectProduct};
use linnet_abi::calls::{self, Call};
use linnet_abi::frames::Frames;
use linnet_abi::module::{
    CallSite, Function, Handler, MAGIC, Module, SYMBOL_PREFIX, SavedRegister, Segment, TableEntry,
    TrapSite,
};
use object::write::{Symbol, SymbolSection};
use object::{SymbolFlags, SymbolScope};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::{offset_of, size_of};

/// Writes fields of a row by their names in the ABI.
macro_rules! fields {
    ($table:ident, $row:expr, $type:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $($table.put_u32($row + std::mem::offset_of!($type, $field), $value);)*
    };
}
pub(crate) use fields;

mod standalone;

/// Alignment of functions and tables in the object.
const ALIGN: u64 = 16;

/// Writes the object of a compiled module.
pub(crate) fn object(
    env: &Env,
    isa: OwnedTargetIsa,
    image: &Image,
    functions: &[Compiled],
    trampolines: &[Trampoline],
) -> Result<Vec<u8>> {
    let builder = ObjectBuilder::new(isa, env.options.prefix.as_str(), default_libcall_names())
        .map_err(failed)?;
    let mut emitter = Emitter::new(env, ObjectModule::new(builder), functions, trampolines)?;
    emitter.code(functions, trampolines)?;
    emitter.tables(image, functions, trampolines)?;
    emitter.finish(functions, trampolines)
}

fn failed(e: impl std::fmt::Display) -> Error {
    Error::new(format!("object file: {e}"))
}

/// A table under construction: plain bytes of `T`s with addresses to be filled in by the linker.
pub(crate) struct Table {
    pub(crate) bytes: Vec<u8>,
    align: u64,
    addresses: Vec<(u32, Address)>,
}

#[derive(Clone, Copy)]
pub(crate) enum Address {
    Function(FuncId),
    Data(DataId),
    /// So many bytes into it.
    Inside(DataId, i64),
}

impl Default for Table {
    fn default() -> Table {
        Table { bytes: Vec::new(), align: ALIGN, addresses: Vec::new() }
    }
}

impl Table {
    pub(crate) fn new() -> Table {
        Table::default()
    }

    /// Appends a zeroed `T` and returns its offset.
    pub(crate) fn row<T>(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.resize(at + size_of::<T>(), 0);
        at
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    fn put_u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn put_address(&mut self, at: usize, address: Address) {
        self.addresses.push((at as u32, address));
    }
}

struct Emitter<'e, 'm, 'a> {
    env: &'e Env<'m, 'a>,
    object: ObjectModule,
    /// Functions of the module by wasm index; barriers have none.
    functions: Vec<Option<FuncId>>,
    /// Those that go on with a captured frame, by their place in the module's code section.
    resumed: Vec<Option<FuncId>>,
    libcalls: Vec<FuncId>,
    /// By number; only those that the module needs.
    trampolines: Vec<Option<FuncId>>,
    /// By number; only those that the code uses.
    data: Vec<Option<DataId>>,
}

impl<'e, 'm, 'a> Emitter<'e, 'm, 'a> {
    /// Declares everything, so that code and tables can name each other.
    fn new(
        env: &'e Env<'m, 'a>,
        mut object: ObjectModule,
        compiled: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<Self> {
        // It has run ahead of time and is left out, and with it the segments that only it used.
        let left_out = uncalled_start(env, compiled);
        // Only the linker's view matters here: the types are checked already.
        let any = Signature::new(CallConv::SystemV);
        let mut declare =
            |name: &str, linkage| object.declare_function(name, linkage, &any).map_err(failed);

        let libcalls =
            libcall::symbols().map(|s| declare(&s, Linkage::Import)).collect::<Result<Vec<_>>>()?;
        let mut names = LocalNames::default();
        let last = trampolines.iter().map(|t| t.number).max().unwrap_or(0);
        let mut thunks = vec![None; last.max(trampoline::INITIALIZE) as usize + 1];
        for trampoline in trampolines {
            let name = names.unique(&trampoline.name, 0);
            thunks[trampoline.number as usize] = Some(declare(&name, Linkage::Local)?);
        }
        let mut functions = Vec::new();
        for index in 0..env.module.functions.len() as u32 {
            let id = match env.symbols.get(index as usize) {
                Some(imports::Symbol::Runtime(symbol)) => Some(declare(symbol, Linkage::Import)?),
                Some(imports::Symbol::CallHandler) => thunks[trampoline::CALL_HANDLER as usize],
                Some(imports::Symbol::Barrier) => None,
                None if left_out == Some(index) => None,
                // A standalone module calls imported functions by reference.
                None if index < env.module.imported() => None,
                None => {
                    let name = names.unique(env.module.function_name(index), index);
                    Some(declare(&name, Linkage::Local)?)
                }
            };
            functions.push(id);
        }
        let mut resumed = Vec::new();
        for (index, function) in (env.module.imported()..).zip(compiled) {
            let has = function.resume.is_some() && left_out != Some(index);
            let name = format!("{}.resumed", env.module.function_name(index));
            let id = has.then(|| declare(&names.unique(&name, index), Linkage::Local));
            resumed.push(id.transpose()?);
        }
        let segments = env.module.segments.len();
        let mut data = vec![None; data::FIRST_SEGMENT as usize + segments];
        let table = object.declare_data("linnet.table", Linkage::Local, false, false);
        data[data::TABLE as usize] = Some(table.map_err(failed)?);
        for number in used(env, compiled, left_out, namespace::DATA) {
            if number != data::TABLE && (number as usize) < data.len() {
                let name = format!("linnet.segment.{}", number - data::FIRST_SEGMENT);
                let id = object.declare_data(&name, Linkage::Local, false, false);
                data[number as usize] = Some(id.map_err(failed)?);
            }
        }
        if env.module.standalone.is_some() {
            // The function that initialises instances may use all segments.
            for number in 0..segments {
                let place = &mut data[data::FIRST_SEGMENT as usize + number];
                if place.is_none() {
                    let name = format!("linnet.segment.{number}");
                    let id = object.declare_data(&name, Linkage::Local, false, false);
                    *place = Some(id.map_err(failed)?);
                }
            }
            for name in &env.module.type_names {
                let name = standalone::type_symbol(name);
                // Weak: the linker keeps one of all modules'.
                let id = object.declare_data(&name, Linkage::Preemptible, false, false);
                data.push(Some(id.map_err(failed)?));
            }
        }
        let trampolines = thunks;
        Ok(Emitter { env, object, functions, resumed, libcalls, trampolines, data })
    }

    /// The code of the module's functions in the order of the function table, with the place of each
    /// in the code section. What goes on with captured frames is behind all others: it hardly ever runs.
    fn own_codes<'c>(&self, functions: &'c [Compiled]) -> Vec<(usize, FuncId, &'c Code)> {
        let ids = &self.functions[self.env.module.imported() as usize..];
        let codes = functions.iter().zip(ids).enumerate();
        let codes = codes.filter_map(|(i, (f, id))| Some((i, (*id)?, &f.code)));
        let resumed = functions.iter().zip(&self.resumed).enumerate();
        let resumed = resumed.filter_map(|(i, (f, id))| Some((i, (*id)?, f.resume.as_ref()?)));
        codes.chain(resumed).collect()
    }

    /// Defines the functions, in the order of the function table.
    fn code(&mut self, functions: &[Compiled], trampolines: &[Trampoline]) -> Result<()> {
        for (_, id, code) in self.own_codes(functions) {
            self.define(id, code)?;
        }
        for trampoline in trampolines {
            if let Some(id) = self.trampolines[trampoline.number as usize] {
                self.define(id, &trampoline.code)?;
            }
        }
        Ok(())
    }

    fn define(&mut self, id: FuncId, code: &Code) -> Result<()> {
        let relocations =
            code.relocations.iter().map(|r| self.relocation(id, r)).collect::<Result<Vec<_>>>()?;
        let align = u64::from(code.align).max(ALIGN);
        self.object.define_function_bytes(id, align, &code.bytes, &relocations).map_err(failed)
    }

    fn relocation(&self, own: FuncId, relocation: &Relocation) -> Result<ModuleReloc> {
        let name = match relocation.to {
            Referent::Own(offset) => ModuleRelocTarget::FunctionOffset(own, offset),
            Referent::Name(space, index) => {
                let index = index as usize;
                match space {
                    namespace::FUNCTION => self.functions[index].map(ModuleRelocTarget::from),
                    namespace::LIBCALL => Some(self.libcalls[index].into()),
                    namespace::TRAMPOLINE => self.trampolines[index].map(ModuleRelocTarget::from),
                    _ => self.data[index].map(ModuleRelocTarget::from),
                }
                .ok_or_else(|| failed("a reference to what has no address"))?
            }
        };
        Ok(ModuleReloc {
            offset: relocation.offset,
            kind: relocation.kind,
            name,
            addend: relocation.addend,
        })
    }

    fn define_table(&mut self, id: DataId, table: Table) -> Result<()> {
        let mut description = DataDescription::new();
        description.set_align(table.align);
        // An empty object would share its address with the next one.
        let bytes = if table.bytes.is_empty() { vec![0; 8] } else { table.bytes };
        description.define(bytes.into_boxed_slice());
        for (at, address) in table.addresses {
            match address {
                Address::Function(id) => {
                    let function = self.object.declare_func_in_data(id, &mut description);
                    description.write_function_addr(at, function);
                }
                Address::Data(id) => {
                    let data = self.object.declare_data_in_data(id, &mut description);
                    description.write_data_addr(at, data, 0);
                }
                Address::Inside(id, offset) => {
                    let data = self.object.declare_data_in_data(id, &mut description);
                    description.write_data_addr(at, data, offset);
                }
            }
        }
        self.object.define_data(id, &description).map_err(failed)
    }

    fn local_table(&mut self, name: &str, table: Table) -> Result<Address> {
        let id = self.object.declare_data(name, Linkage::Local, false, false).map_err(failed)?;
        self.define_table(id, table)?;
        Ok(Address::Data(id))
    }

    /// A function as those of the module call it through the table.
    fn table_function(&self, function: u32) -> Option<FuncId> {
        let is_own = function >= self.env.module.imported();
        self.wrapper(function).filter(|_| !is_own).or(self.functions[function as usize])
    }

    /// A function as the runtime calls it.
    fn exported_function(&self, function: u32) -> Option<FuncId> {
        self.wrapper(function).or(self.functions[function as usize])
    }

    /// The thunk before a function, if the module has tail calls and the function such callers.
    fn wrapper(&self, function: u32) -> Option<FuncId> {
        let number = thunk::wrapper_number(self.env.module, function);
        self.trampolines.get(number as usize).copied().flatten()
    }

    fn tables(
        &mut self,
        image: &Image,
        functions: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<()> {
        let module = self.env.module;
        let mut table = Table::new();
        for entry in &module.table {
            let row = table.row::<TableEntry>();
            if let Some(function) = *entry
                && let Some(id) = self.table_function(function)
            {
                table.put_address(row + offset_of!(TableEntry, code), Address::Function(id));
                let signature = module.signature(module.functions[function as usize]);
                table.put_u64(row + offset_of!(TableEntry, signature), u64::from(signature));
            }
        }
        let table_id =
            self.data[data::TABLE as usize].ok_or_else(|| failed("no function table"))?;
        self.define_table(table_id, table)?;
        for (i, segment) in module.segments.iter().enumerate() {
            if let Some(id) = self.data[data::FIRST_SEGMENT as usize + i] {
                let bytes = segment.bytes[..segment.passive_len()].to_vec();
                self.define_table(id, Table { bytes, ..Table::new() })?;
            }
        }
        self.descriptor(image, table_id, functions, trampolines)
    }

    /// The `Module` and everything it points to.
    fn descriptor(
        &mut self,
        image: &Image,
        table: DataId,
        functions: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<()> {
        let module = self.env.module;
        let lists = self.function_table(functions, trampolines)?;
        let frames = match self.env.options.frames {
            true => Some(self.frame_tables(functions, trampolines)?),
            false => None,
        };

        let mut runs = Table::new();
        let mut contents = Table { align: 4096, ..Table::new() };
        let contents_id = self
            .object
            .declare_data("linnet.memory", Linkage::Local, false, false)
            .map_err(failed)?;
        let segments = image.runs();
        let mut bytes_at = Vec::new();
        for (address, bytes) in &segments {
            let row = runs.row::<Segment>();
            bytes_at.push((row + offset_of!(Segment, bytes), contents.bytes.len()));
            fields!(runs, row, Segment { address: *address, len: bytes.len() as u32 });
            contents.bytes.extend_from_slice(bytes);
        }
        self.define_table(contents_id, contents)?;
        let segments_table = self.offsets_table("linnet.segments", runs, contents_id, &bytes_at)?;

        let mut globals = Table::new();
        for value in &image.slots {
            let row = globals.row::<u64>();
            globals.put_u64(row, *value);
        }
        let globals = self.local_table("linnet.globals", globals)?;

        let mut t = Table::new();
        let row = t.row::<Module>();
        t.put(row + offset_of!(Module, id), &module.id);
        fields!(
            t,
            row,
            Module {
                magic: MAGIC,
                abi_version: linnet_abi::ABI_VERSION,
                function_count: lists.function_count,
                site_count: lists.site_count,
                trap_count: lists.trap_count,
                table_len: module.table.len() as u32,
                global_count: image.slots.len() as u32,
                segment_count: segments.len() as u32,
                stack_pointer_slot: module.find_slot("__stack_pointer").unwrap_or(u32::MAX),
                tls_base_slot: module.find_slot("__tls_base").unwrap_or(u32::MAX),
                has_result_areas: u32::from(has_result_areas(module)),
            }
        );
        t.put_u64(row + offset_of!(Module, name_size), lists.name_size);
        for (at, address) in [
            (offset_of!(Module, functions), lists.functions),
            (offset_of!(Module, sites), lists.sites),
            (offset_of!(Module, handlers), lists.handlers),
            (offset_of!(Module, saved), lists.saved),
            (offset_of!(Module, traps), lists.traps),
            (offset_of!(Module, names), lists.names),
            (offset_of!(Module, table), Address::Data(table)),
            (offset_of!(Module, globals), globals),
            (offset_of!(Module, segments), segments_table),
        ] {
            t.put_address(row + at, address);
        }
        if let Some(frames) = frames {
            t.put_address(row + offset_of!(Module, frames), frames);
        }
        if let Some(sections) = &module.standalone {
            let address = self.standalone(sections, functions, trampolines)?;
            t.put_address(row + offset_of!(Module, standalone), address);
        } else if let Some(start) = self.start_function()? {
            t.put_address(row + offset_of!(Module, start), Address::Function(start));
        }
        for trampoline in trampolines {
            let field = match trampoline.number {
                trampoline::CALL_THREAD => offset_of!(Module, call_thread),
                trampoline::CALL_RESTORER => offset_of!(Module, call_restorer),
                _ => continue,
            };
            if let Some(id) = self.trampolines[trampoline.number as usize] {
                t.put_address(row + field, Address::Function(id));
            }
        }
        let name = format!("{SYMBOL_PREFIX}{}", self.env.options.prefix);
        let id = self.object.declare_data(&name, Linkage::Export, false, false).map_err(failed)?;
        self.define_table(id, t)
    }

    /// A table whose rows point into one datum.
    fn offsets_table(
        &mut self,
        name: &str,
        table: Table,
        to: DataId,
        at: &[(usize, usize)],
    ) -> Result<Address> {
        let id = self.object.declare_data(name, Linkage::Local, false, false).map_err(failed)?;
        let mut description = DataDescription::new();
        description.set_align(table.align);
        let bytes = if table.bytes.is_empty() { vec![0; 8] } else { table.bytes };
        description.define(bytes.into_boxed_slice());
        let data = self.object.declare_data_in_data(to, &mut description);
        for (field, offset) in at {
            description.write_data_addr(*field as u32, data, *offset as i64);
        }
        self.object.define_data(id, &description).map_err(failed)?;
        Ok(Address::Data(id))
    }

    /// A program's entry, if it has one of the right type.
    fn start_function(&self) -> Result<Option<FuncId>> {
        let module = self.env.module;
        let Some(function) = module.exported_function("_start") else { return Ok(None) };
        let ty = module.function_type(function);
        if !ty.params().is_empty() || !ty.results().is_empty() {
            let found = imports::type_text(ty.params(), ty.results());
            return Err(Error::new(format!("_start has type {found}, expected () -> ()")));
        }
        Ok(self.exported_function(function))
    }

    /// The function table and the lists that its rows take their ranges from.
    fn function_table(
        &mut self,
        functions: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<Lists> {
        let module = self.env.module;
        let mut rows = Table::new();
        let mut sites = Table::new();
        let mut handlers = Table::new();
        let mut saved = Table::new();
        let mut traps = Table::new();
        let mut names = Table { align: 1, ..Table::new() };
        let (mut site_count, mut handler_count, mut trap_count) = (0, 0, 0);
        let mut function_count = 0;
        // Most prologues save the same registers at the same places.
        let mut prologues: HashMap<&[SavedRegister], u32> = HashMap::new();

        let first = module.imported();
        let own = self.own_codes(functions).into_iter().map(|(i, id, code)| {
            let (index, offset) = (first + i as u32, module.bodies[i].body.range().start as u32);
            (index, module.function_name(index), offset, Some(id), code)
        });
        let others = trampolines
            .iter()
            .map(|t| (u32::MAX, &*t.name, 0, self.trampolines[t.number as usize], &t.code));
        for (index, name, wasm_offset, id, code) in own.chain(others) {
            let first_saved = match prologues.get(code.saved.as_slice()) {
                Some(first) => *first,
                None => {
                    let first = (saved.bytes.len() / size_of::<SavedRegister>()) as u32;
                    for register in &code.saved {
                        let row = saved.row::<SavedRegister>();
                        let SavedRegister { register, fp_offset } = *register;
                        let fp_offset = fp_offset as u32;
                        fields!(
                            saved,
                            row,
                            SavedRegister { register: register, fp_offset: fp_offset }
                        );
                    }
                    prologues.insert(&code.saved, first);
                    first
                }
            };
            function_count += 1;
            let row = rows.row::<Function>();
            if let Some(id) = id {
                rows.put_address(row + offset_of!(Function, start), Address::Function(id));
            }
            fields!(
                rows,
                row,
                Function {
                    len: code.bytes.len() as u32,
                    index: index,
                    name_offset: names.bytes.len() as u32,
                    name_len: name.len() as u32,
                    first_site: site_count,
                    site_count: code.call_sites.len() as u32,
                    first_saved: first_saved,
                    saved_count: code.saved.len() as u32,
                    first_trap: trap_count,
                    trap_count: code.traps.len() as u32,
                    wasm_offset: wasm_offset,
                    wide_site: code.wide_site.map_or(u32::MAX, |n| site_count + n as u32),
                }
            );
            names.bytes.extend_from_slice(name.as_bytes());
            for site in &code.call_sites {
                let row = sites.row::<CallSite>();
                fields!(
                    sites,
                    row,
                    CallSite {
                        offset: site.offset,
                        frame_size: site.frame_size,
                        first_handler: handler_count,
                        handler_count: site.handlers.len() as u32,
                    }
                );
                for handler in &site.handlers {
                    let row = handlers.row::<Handler>();
                    fields!(handlers, row, Handler { tag: handler.tag, offset: handler.offset });
                }
                handler_count += site.handlers.len() as u32;
            }
            for trap in &code.traps {
                let row = traps.row::<TrapSite>();
                fields!(traps, row, TrapSite { offset: trap.offset, code: trap.code });
            }
            site_count += code.call_sites.len() as u32;
            trap_count += code.traps.len() as u32;
        }
        let name_size = names.bytes.len() as u64;
        Ok(Lists {
            functions: self.local_table("linnet.functions", rows)?,
            sites: self.local_table("linnet.sites", sites)?,
            handlers: self.local_table("linnet.handlers", handlers)?,
            saved: self.local_table("linnet.saved", saved)?,
            traps: self.local_table("linnet.traps", traps)?,
            names: self.local_table("linnet.names", names)?,
            function_count,
            site_count,
            trap_count,
            name_size,
        })
    }

    /// The tables of what can be captured, in the same order as the function table.
    fn frame_tables(
        &mut self,
        functions: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<Address> {
        let module = self.env.module;
        let first = module.imported();
        let mut tables = Tables::default();
        let own = functions.iter().zip(&self.resumed).enumerate();
        let own = own.map(|(i, (compiled, resume))| {
            let types = module.function_type(first + i as u32).results();
            let results = types.iter().filter_map(|ty| self.env.clif_type(*ty).ok());
            let results = results.map(frames::value_type).collect();
            Own { compiled, results, resume: resume.map(Address::Function) }
        });
        let first_points = tables.functions(own);
        for (_, _, code) in self.own_codes(functions) {
            tables.code(code, first, &first_points);
        }
        for trampoline in trampolines {
            tables.code(&trampoline.code, first, &first_points);
        }
        let mut head = tables.head(first, self.env.tail_calls);
        for (at, name, table) in [
            (offset_of!(Frames, functions), "linnet.frames.functions", tables.functions),
            (offset_of!(Frames, points), "linnet.frames.sites", tables.points),
            (offset_of!(Frames, types), "linnet.frames.types", tables.types),
            (offset_of!(Frames, native_points), "linnet.frames.places", tables.native_points),
            (offset_of!(Frames, code), "linnet.frames.code", tables.code),
        ] {
            head.put_address(at, self.local_table(name, table)?);
        }
        self.local_table("linnet.frames", head)
    }

    /// Adds the kernel's symbols and the information for debuggers, and writes the file.
    fn finish(self, compiled: &[Compiled], trampolines: &[Trampoline]) -> Result<Vec<u8>> {
        let bodies = &self.env.module.bodies;
        let own = self.own_codes(compiled).into_iter().map(|(i, id, code)| {
            let address = Some(self.env.module.code_address(&bodies[i].body));
            Defined { id, code, address }
        });
        let thunks = trampolines.iter().filter_map(|t| {
            let id = self.trampolines[t.number as usize]?;
            Some(Defined { id, code: &t.code, address: None })
        });
        let defined: Vec<_> = own.chain(thunks).collect();
        let is_kernel = self.env.options.prefix == calls::KERNEL_PREFIX;
        let exports = self.env.module.function_exports.iter();
        let exports: Vec<_> = exports
            .map(|(name, function)| (*name, *function, self.exported_function(*function)))
            .collect();
        let Emitter { env, mut object, data: numbered, .. } = self;
        if is_kernel {
            for (name, global) in &env.module.global_exports {
                let global = env.module.globals[*global as usize];
                if global.ty != wasmparser::ValType::I32
                    || !matches!(global.storage, crate::module::Storage::Constant)
                {
                    continue;
                }
                let symbol = format!("linnet_{}_{name}", env.options.prefix);
                let id =
                    object.declare_data(&symbol, Linkage::Export, false, false).map_err(failed)?;
                let mut description = DataDescription::new();
                description.set_align(8);
                description.define((global.value as u64).to_le_bytes().into());
                object.define_data(id, &description).map_err(failed)?;
            }
        }
        let mut product = object.finish();
        let types = data::FIRST_SEGMENT as usize + env.module.segments.len();
        for id in numbered.iter().skip(types).flatten() {
            // Enough for one executable or library, which needs no table of addresses for it then.
            let symbol = product.data_symbol(*id);
            product.object.symbol_mut(symbol).scope = SymbolScope::Linkage;
        }
        if is_kernel {
            for (name, function, id) in exports {
                check_entry(env, name, function)?;
                if let Some(id) = id {
                    alias(&mut product, id, &format!("linnet_{}_{name}", env.options.prefix));
                }
            }
        }
        debug::emit(&mut product, env.isa, env.sources, &defined)?;
        product.emit().map_err(failed)
    }
}

/// Whether a function's results may not all be in registers, on any target.
fn has_result_areas(module: &crate::module::Module) -> bool {
    const LEAST_REGISTERS: usize = 2;
    let words = |ty: &wasmparser::ValType| if *ty == wasmparser::ValType::V128 { 2 } else { 1 };
    let types = module.functions.iter().map(|ty| &module.types[*ty as usize]);
    types.into_iter().any(|ty| ty.results().iter().map(words).sum::<usize>() > LEAST_REGISTERS)
}

/// The start function, unless something can call it later.
fn uncalled_start(env: &Env, functions: &[Compiled]) -> Option<u32> {
    let module = env.module;
    if module.standalone.is_some() {
        // Instances run it.
        return None;
    }
    let start = module.start.filter(|start| *start >= module.imported())?;
    let named = module.table.contains(&Some(start))
        || module.function_exports.iter().any(|export| export.1 == start);
    let called = || used(env, functions, Some(start), namespace::FUNCTION).contains(&start);
    (!named && !called()).then_some(start)
}

/// What functions other than `but` refer to in a namespace.
fn used(env: &Env, functions: &[Compiled], but: Option<u32>, namespace: u32) -> BTreeSet<u32> {
    let functions = (env.module.imported()..).zip(functions).filter(|(i, _)| Some(*i) != but);
    let codes = functions.flat_map(|(_, f)| [&f.code].into_iter().chain(&f.resume));
    let names = codes.flat_map(|code| &code.relocations).filter_map(|r| match r.to {
        Referent::Name(space, number) if space == namespace => Some(number),
        _ => None,
    });
    names.collect()
}

/// Addresses and lengths for the descriptor.
struct Lists {
    functions: Address,
    sites: Address,
    handlers: Address,
    saved: Address,
    traps: Address,
    names: Address,
    function_count: u32,
    site_count: u32,
    trap_count: u32,
    name_size: u64,
}

/// A second, global symbol for a function. A function may be exported under several names.
fn alias(product: &mut ObjectProduct, function: FuncId, name: &str) {
    let Symbol { value, size, kind, section, .. } =
        *product.object.symbol(product.function_symbol(function));
    if section != SymbolSection::Undefined {
        let name = name.as_bytes().to_vec();
        let (scope, flags) = (SymbolScope::Dynamic, SymbolFlags::None);
        product.object.add_symbol(Symbol {
            name,
            value,
            size,
            kind,
            scope,
            weak: false,
            section,
            flags,
        });
    }
}

/// An entry of the kernel must have the type that the runtime calls it with.
fn check_entry(env: &Env, name: &str, function: u32) -> Result<()> {
    let Some(entry) = calls::KERNEL_ENTRIES.iter().find(|e: &&Call| e.name == name) else {
        return Ok(());
    };
    let ty = env.module.function_type(function);
    let params: Vec<_> = entry.param_types().map(imports::wasm_type).collect();
    let results: Vec<_> = entry.result_type().map(imports::wasm_type).into_iter().collect();
    if ty.params() == params && ty.results() == results {
        return Ok(());
    }
    let (found, wanted) =
        (imports::type_text(ty.params(), ty.results()), imports::type_text(&params, &results));
    Err(Error::new(format!("the kernel's entry {name} has type {found}, expected {wanted}"))
        .hint("rebuild the kernel with this version's linnet_abi.h"))
}

/// Makes local symbols unique: C has many static functions of one name.
#[derive(Default)]
struct LocalNames {
    taken: HashSet<String>,
}

impl LocalNames {
    fn unique(&mut self, name: &str, index: u32) -> String {
        // The object format ends a name at a zero byte, and an empty name would be no symbol.
        let clean: String = name.chars().filter(|c| *c != '\0').collect();
        let reserved = clean.is_empty() || clean.starts_with("linnet");
        if !reserved && self.taken.insert(clean.clone()) {
            return clean;
        }
        let mut numbered = format!("{clean}.{index}");
        while !self.taken.insert(numbered.clone()) {
            numbered.push('_');
        }
        numbered
    }
}
