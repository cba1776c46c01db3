//! Names of what is in the object, for the linker and for people.

use super::{Emitter, failed};
use crate::debug::{self, Defined};
use crate::error::{Error, Result};
use crate::func::{Compiled, Env};
use crate::imports;
use crate::module::Storage;
use crate::trampoline::Trampoline;
use cranelift_module::{DataDescription, FuncId, Linkage, Module as _};
use cranelift_object::ObjectProduct;
use linnet_abi::calls::{self, Call};
use object::write::{Symbol, SymbolSection};
use object::{SymbolFlags, SymbolScope};
use std::collections::HashSet;

impl Emitter<'_, '_, '_> {
    /// Adds the kernel's symbols and the information for debuggers, and writes the file.
    pub(super) fn finish(
        self,
        compiled: &[Compiled],
        trampolines: &[Trampoline],
    ) -> Result<Vec<u8>> {
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
        let Emitter { env, mut object, .. } = self;
        if is_kernel {
            for (name, global) in &env.module.global_exports {
                let global = env.module.globals[*global as usize];
                if global.ty != wasmparser::ValType::I32
                    || !matches!(global.storage, Storage::Constant)
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
pub(super) struct LocalNames {
    taken: HashSet<String>,
}

impl LocalNames {
    pub(super) fn unique(&mut self, name: &str, index: u32) -> String {
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
