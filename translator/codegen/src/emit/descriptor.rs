//! The module's descriptor, `linnet_abi::module::Module`, and the tables that it points to.

use super::frames::{Own, Tables};
use super::table::{Address, Table, fields};
use super::{Emitter, failed};
use crate::error::{Error, Result};
use crate::frames;
use crate::func::Compiled;
use crate::image::Image;
use crate::imports;
use crate::names::thunk;
use crate::trampoline::Trampoline;
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module as _};
use linnet_abi::calls;
use linnet_abi::frames::Frames;
use linnet_abi::module::{
    CallSite, Function, Handler, MAGIC, Module, SYMBOL_PREFIX, SavedRegister, Segment, TrapSite,
};
use std::collections::HashMap;
use std::mem::{offset_of, size_of};

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

impl Emitter<'_, '_, '_> {
    /// The `Module` and everything it points to.
    pub(super) fn descriptor(
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
            let address = self.embedded(sections, functions, trampolines)?;
            t.put_address(row + offset_of!(Module, standalone), address);
        } else if let Some(start) = self.runtime_entry(calls::START)? {
            t.put_address(row + offset_of!(Module, start), Address::Function(start));
            if let Some(uncaught) = self.runtime_entry(calls::UNCAUGHT)? {
                t.put_address(row + offset_of!(Module, uncaught), Address::Function(uncaught));
            }
        }
        for trampoline in trampolines {
            let field = match trampoline.number {
                thunk::CALL_THREAD => offset_of!(Module, call_thread),
                thunk::CALL_RESTORER => offset_of!(Module, call_restorer),
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
    fn runtime_entry(&self, name: &str) -> Result<Option<FuncId>> {
        let module = self.env.module;
        let Some(function) = module.exported_function(name) else { return Ok(None) };
        let ty = module.function_type(function);
        if !ty.params().is_empty() || !ty.results().is_empty() {
            let found = imports::type_text(ty.params(), ty.results());
            return Err(Error::new(format!("{name} has type {found}, expected () -> ()")));
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
}
