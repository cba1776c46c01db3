//! A section under construction, with the places that the linker fills in.

use super::failed;
use crate::error::Result;
use gimli::write::{EndianVec, RelocateWriter, Relocation, RelocationTarget};
use gimli::{LittleEndian, SectionId};
use object::write::{Object, Relocation as ObjectRelocation, SymbolId};
use object::{RelocationEncoding, RelocationFlags, RelocationKind};

#[derive(Clone)]
pub(super) struct Section {
    writer: EndianVec<LittleEndian>,
    relocations: Vec<Relocation>,
}

impl Default for Section {
    fn default() -> Self {
        Section { writer: EndianVec::new(LittleEndian), relocations: Vec::new() }
    }
}

impl RelocateWriter for Section {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.writer
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.writer
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}

impl Section {
    pub(super) fn is_empty(&self) -> bool {
        self.writer.slice().is_empty()
    }

    /// Puts the contents into section `id` of `object`. `symbols` are those that addresses were
    /// written with, by number; `sections` gives the symbols of sections.
    pub(super) fn append(
        self,
        object: &mut Object,
        id: object::write::SectionId,
        align: u64,
        symbols: &[SymbolId],
        sections: impl Fn(SectionId) -> Option<SymbolId>,
    ) -> Result<()> {
        let start = object.append_section_data(id, self.writer.slice(), align);
        for relocation in &self.relocations {
            let symbol = match relocation.target {
                RelocationTarget::Symbol(number) => symbols.get(number).copied(),
                RelocationTarget::Section(section) => sections(section),
            };
            let symbol = symbol.ok_or_else(|| failed("an address of nothing"))?;
            // Only `.eh_frame` says how its addresses are written, and it does so in one way.
            let kind = match relocation.eh_pe {
                Some(_) => RelocationKind::Relative,
                None => RelocationKind::Absolute,
            };
            let flags = RelocationFlags::Generic {
                kind,
                encoding: RelocationEncoding::Generic,
                size: relocation.size * 8,
            };
            let relocation = ObjectRelocation {
                offset: start + relocation.offset as u64,
                symbol,
                addend: relocation.addend,
                flags,
            };
            object.add_relocation(id, relocation).map_err(failed)?;
        }
        Ok(())
    }
}
