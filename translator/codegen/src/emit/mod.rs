//! The object file: code, the tables beside it, and the symbols that others see.

mod descriptor;
mod embedded;
mod frames;
mod symbols;
mod table;

use crate::compile::{Code, Referent, Relocation};
use crate::error::{Error, Result};
use crate::func::{Compiled, Env};
use crate::image::Image;
use crate::imports;
use crate::libcall;
use crate::module::Module;
use crate::names::{Place, data, namespace, thunk};
use crate::trampoline::Trampoline;
use crate::trampoline::thunk::wrapper_number;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module as _, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule};
use linnet_abi::module::TableEntry;
use std::collections::BTreeSet;
use std::mem::offset_of;
use symbols::LocalNames;
use table::{ALIGN, Address, Table};

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
        let mut thunks = vec![None; last.max(thunk::INITIALIZE) as usize + 1];
        for trampoline in trampolines {
            let name = names.unique(&trampoline.name, 0);
            thunks[trampoline.number as usize] = Some(declare(&name, Linkage::Local)?);
        }
        let mut functions = Vec::new();
        for index in 0..env.module.functions.len() as u32 {
            let id = match env.symbols.get(index as usize) {
                Some(imports::Symbol::Runtime(symbol)) => Some(declare(symbol, Linkage::Import)?),
                Some(imports::Symbol::CallHandler) => thunks[thunk::CALL_HANDLER as usize],
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
        if env.module.standalone.is_none() {
            let adapters = object.declare_data("linnet.adapters", Linkage::Local, false, false);
            data[data::ADAPTERS as usize] = Some(adapters.map_err(failed)?);
        }
        for number in used(env, compiled, left_out, namespace::DATA) {
            if number >= data::FIRST_SEGMENT && (number as usize) < data.len() {
                let name = format!("linnet.segment.{}", number - data::FIRST_SEGMENT);
                let id = object.declare_data(&name, Linkage::Local, false, false);
                data[number as usize] = Some(id.map_err(failed)?);
            }
        }
        if let Some(sections) = &env.module.standalone {
            if !sections.runs().is_empty() {
                for (number, name) in [(data::COPIED, "copied"), (data::PLACES, "copied_to")] {
                    let name = format!("linnet.{name}");
                    let id = object.declare_data(&name, Linkage::Local, false, false);
                    data[number as usize] = Some(id.map_err(failed)?);
                }
            }
            let copied = copied(env.module);
            // The function that initialises instances may use all others.
            for number in (0..segments).filter(|number| !copied[*number]) {
                let place = &mut data[data::FIRST_SEGMENT as usize + number];
                if place.is_none() {
                    let name = format!("linnet.segment.{number}");
                    let id = object.declare_data(&name, Linkage::Local, false, false);
                    *place = Some(id.map_err(failed)?);
                }
            }
            for name in &env.module.type_names {
                let name = embedded::type_symbol(name);
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
        let number = wrapper_number(self.env.module, function);
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
        self.adapters()?;
        self.copied_segments()?;
        let copied = copied(module);
        for (i, segment) in module.segments.iter().enumerate() {
            if let Some(id) = self.data[data::FIRST_SEGMENT as usize + i] {
                let len = if copied[i] { 0 } else { segment.passive_len() };
                let bytes = segment.bytes[..len].to_vec();
                self.define_table(id, Table { bytes, ..Table::new() })?;
            }
        }
        self.descriptor(image, table_id, functions, trampolines)
    }

    /// What an instance copies in loops.
    fn copied_segments(&mut self) -> Result<()> {
        let [Some(bytes_id), Some(places_id)] =
            [data::COPIED, data::PLACES].map(|number| self.data[number as usize])
        else {
            return Ok(());
        };
        let module = self.env.module;
        let runs = module.standalone.as_ref().map(|sections| sections.runs()).unwrap_or_default();
        let (mut places, mut copied) = (Table::new(), Table::new());
        for run in runs {
            for (to, segment) in run.addresses.iter().zip(&module.segments[run.segments()]) {
                let row = places.row::<Place>();
                places.put_u64(row + offset_of!(Place, to), *to);
                places.put_u64(row + offset_of!(Place, len), segment.bytes.len() as u64);
                copied.bytes.extend_from_slice(segment.bytes);
            }
        }
        self.define_table(bytes_id, copied)?;
        self.define_table(places_id, places)
    }

    /// The callee's adapters by the number of their type, which begins at 1.
    fn adapters(&mut self) -> Result<()> {
        let Some(table) = self.data[data::ADAPTERS as usize] else { return Ok(()) };
        let module = self.env.module;
        let bytes = vec![0; 8 * (module.types.len() + 1)];
        let mut adapters = Table { bytes, ..Table::new() };
        for ty in 0..module.types.len() as u32 {
            let number = thunk::callee_number(ty) as usize;
            if let Some(id) = self.trampolines.get(number).copied().flatten() {
                let place = 8 * module.signature(ty) as usize;
                adapters.put_address(place, Address::Function(id));
            }
        }
        self.define_table(table, adapters)
    }
}

/// Which segments are copied in loops.
fn copied(module: &Module) -> Vec<bool> {
    let mut copied = vec![false; module.segments.len()];
    let runs = module.standalone.as_ref().map(|sections| sections.runs()).unwrap_or_default();
    for run in runs {
        copied[run.segments()].fill(true);
    }
    copied
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
