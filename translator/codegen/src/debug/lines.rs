//! `.debug_info` and `.debug_line` of the native code: functions, calls that the compiler has
//! inlined, and lines. Types and variables are left out: where a variable is while native code runs,
//! the code generator does not say.

use super::section::Section;
use super::source::{Function, Inlined, Name, Sources, Unit};
use super::{Defined, failed};
use crate::error::Result;
use cranelift_object::ObjectProduct;
use gimli::write::{
    Address, AttributeValue, Dwarf, FileId, LineProgram, LineString, Range, RangeList, Sections,
    Unit as NativeUnit, UnitEntryId,
};
use gimli::{Encoding, Format, LineEncoding, SectionId};
use object::SectionKind;
use std::collections::{BTreeMap, HashMap};

/// Version 4 is what every tool can read.
const ENCODING: Encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };

/// Inlined calls that are so deep within others are left out.
const MAX_LEVELS: usize = 64;

/// Native code that comes from one place of the module.
#[derive(Debug, Clone, Copy)]
struct Segment {
    start: u32,
    end: u32,
    /// In the module's code section.
    address: u32,
}

pub(super) fn emit(
    product: &mut ObjectProduct,
    sources: &Sources,
    functions: &[Defined],
) -> Result<()> {
    let mut by_unit: BTreeMap<usize, Vec<(usize, &Function)>> = BTreeMap::new();
    for (number, defined) in functions.iter().enumerate() {
        let found = defined.address.and_then(|start| sources.function(start));
        if let Some((unit, function)) = found {
            by_unit.entry(unit).or_default().push((number, function));
        }
    }
    if by_unit.is_empty() {
        return Ok(());
    }
    let mut dwarf = Dwarf::new();
    for (unit, members) in by_unit {
        add_unit(&mut dwarf, &sources.units[unit], &members, functions);
    }

    let mut sections = Sections::new(Section::default());
    dwarf.write(&mut sections).map_err(failed)?;
    let symbols: Vec<_> =
        functions.iter().map(|defined| product.function_symbol(defined.id)).collect();
    let object = &mut product.object;
    let mut ids = BTreeMap::new();
    sections.for_each(|id, section| {
        if !section.is_empty() {
            let kind = match id {
                SectionId::DebugStr => SectionKind::DebugString,
                _ => SectionKind::Debug,
            };
            ids.insert(id, object.add_section(Vec::new(), id.name().as_bytes().to_vec(), kind));
        }
        Ok::<_, crate::error::Error>(())
    })?;
    let section_symbols: BTreeMap<SectionId, _> =
        ids.iter().map(|(id, section)| (*id, object.section_symbol(*section))).collect();
    sections.for_each_mut(|id, section| match ids.get(&id) {
        Some(place) => std::mem::take(section)
            // A linker leaves no gaps between those of several objects, which are read as one.
            .append(object, *place, 1, &symbols, |id| section_symbols.get(&id).copied()),
        None => Ok(()),
    })
}

fn add_unit(dwarf: &mut Dwarf, unit: &Unit, members: &[(usize, &Function)], functions: &[Defined]) {
    let directory = path(unit.directory).unwrap_or_else(|| b".".to_vec());
    let name = path(unit.name).unwrap_or_else(|| b"?".to_vec());
    let program = LineProgram::new(
        ENCODING,
        LineEncoding::default(),
        LineString::String(directory.clone()),
        None,
        LineString::String(name.clone()),
        None,
    );
    let id = dwarf.units.add(NativeUnit::new(ENCODING, program));
    let mut writer = Writer {
        source: unit,
        files: vec![None; unit.files.len()],
        unit: dwarf.units.get_mut(id),
        strings: &mut dwarf.strings,
        abstracts: HashMap::new(),
    };
    let root = writer.unit.root();
    if let Some(producer) = unit.producer {
        writer.set_text(root, gimli::DW_AT_producer, producer);
    }
    if let Some(language) = unit.language {
        writer.set(root, gimli::DW_AT_language, AttributeValue::Language(language));
    }
    writer.set_text(root, gimli::DW_AT_name, &name);
    writer.set_text(root, gimli::DW_AT_comp_dir, &directory);
    // What ranges of the unit are relative to.
    writer.set(root, gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
    let all = members.iter().map(|(number, _)| Range::StartLength {
        begin: Address::Symbol { symbol: *number, addend: 0 },
        length: functions[*number].code.bytes.len() as u64,
    });
    writer.set_ranges(root, all.collect());
    for (number, function) in members {
        let code = functions[*number].code;
        let segments = segments(&code.locations, code.bytes.len() as u32);
        writer.lines(*number, function, &segments, code.bytes.len() as u64);
        writer.function(*number, function, segments, code.bytes.len() as u64);
    }
}

/// Code without a location counts to what comes before it.
fn segments(locations: &[(u32, u32)], len: u32) -> Vec<Segment> {
    let ends = locations.iter().skip(1).map(|next| next.0).chain([len]);
    let segments = locations.iter().zip(ends);
    segments
        .filter(|((start, _), end)| start < end)
        .map(|((start, address), end)| Segment { start: *start, end, address: *address })
        .collect()
}

/// What may stand in a line table: some text without a zero byte.
fn path(text: Option<&[u8]>) -> Option<Vec<u8>> {
    text.filter(|text| !text.is_empty() && !text.contains(&0)).map(<[u8]>::to_vec)
}

struct Writer<'w, 's> {
    source: &'w Unit<'s>,
    /// By number in [`Unit::files`]; those that were used.
    files: Vec<Option<FileId>>,
    unit: &'w mut NativeUnit,
    strings: &'w mut gimli::write::StringTable,
    /// Entries of inlined functions, by number in [`Unit::names`].
    abstracts: HashMap<usize, UnitEntryId>,
}

impl Writer<'_, '_> {
    fn set(&mut self, entry: UnitEntryId, attribute: gimli::DwAt, value: AttributeValue) {
        self.unit.get_mut(entry).set(attribute, value);
    }

    fn set_text(&mut self, entry: UnitEntryId, attribute: gimli::DwAt, text: &[u8]) {
        if !text.contains(&0) {
            let text = self.strings.add(text);
            self.set(entry, attribute, AttributeValue::StringRef(text));
        }
    }

    fn set_ranges(&mut self, entry: UnitEntryId, ranges: Vec<Range>) {
        let list = self.unit.ranges.add(RangeList(ranges));
        self.set(entry, gimli::DW_AT_ranges, AttributeValue::RangeListRef(list));
    }

    fn file(&mut self, number: u32) -> Option<FileId> {
        let slot = self.files.get_mut(number as usize)?;
        if slot.is_none() {
            let (directory, name) = self.source.files[number as usize];
            let program = &mut self.unit.line_program;
            let directory = match path(directory) {
                Some(directory) => program.add_directory(LineString::String(directory)),
                None => program.default_directory(),
            };
            let name = LineString::String(path(Some(name))?);
            *slot = Some(program.add_file(name, directory, None));
        }
        *slot
    }

    /// The rows of one function.
    fn lines(&mut self, symbol: usize, function: &Function, segments: &[Segment], len: u64) {
        let source = self.source;
        self.unit.line_program.begin_sequence(Some(Address::Symbol { symbol, addend: 0 }));
        let entry = source.first_row(function).map(|row| (0, row));
        let body = segments
            .iter()
            .filter_map(|segment| Some((segment.start, source.row(function, segment.address)?)));
        let mut last = None;
        for (offset, row) in entry.into_iter().chain(body) {
            let place = (row.file, row.line, row.column, row.is_statement);
            // Behind the prologue comes a row of its own, also of the same line.
            let is_first = offset != 0 && last.is_some_and(|(first, _)| first);
            if last.is_some_and(|(_, known)| known == place) && !is_first {
                continue;
            }
            let Some(file) = self.file(row.file) else { continue };
            let native = self.unit.line_program.row();
            native.address_offset = u64::from(offset);
            native.file = file;
            native.line = u64::from(row.line);
            native.column = u64::from(row.column);
            native.is_statement = row.is_statement;
            native.prologue_end = is_first;
            self.unit.line_program.generate_row();
            last = Some((offset == 0, place));
        }
        self.unit.line_program.end_sequence(len);
    }

    fn function(&mut self, symbol: usize, function: &Function, segments: Vec<Segment>, len: u64) {
        let entry = self.unit.add(self.unit.root(), gimli::DW_TAG_subprogram);
        self.set_name(entry, function.name);
        let start = Address::Symbol { symbol, addend: 0 };
        self.set(entry, gimli::DW_AT_low_pc, AttributeValue::Address(start));
        self.set(entry, gimli::DW_AT_high_pc, AttributeValue::Udata(len));
        let mut frame = gimli::write::Expression::new();
        frame.op(gimli::DW_OP_call_frame_cfa);
        self.set(entry, gimli::DW_AT_frame_base, AttributeValue::Exprloc(frame));

        // A damaged module may say of each part of the code that it belongs to each inlined call.
        let mut budget = segments.len().saturating_mul(MAX_LEVELS);
        let mut by_address = segments;
        by_address.sort_unstable_by_key(|segment| (segment.address, segment.start));
        let mut around = vec![entry];
        for inlined in &function.inlined {
            if inlined.level > MAX_LEVELS || inlined.level >= around.len() {
                continue;
            }
            around.truncate(inlined.level + 1);
            let ranges = native_ranges(inlined, &by_address, &mut budget);
            if ranges.is_empty() {
                continue;
            }
            let parent = around[inlined.level];
            around.push(self.inlined(parent, symbol, inlined, &ranges));
        }
    }

    fn inlined(
        &mut self,
        parent: UnitEntryId,
        symbol: usize,
        inlined: &Inlined,
        ranges: &[(u32, u32)],
    ) -> UnitEntryId {
        let origin = match self.abstracts.get(&inlined.name) {
            Some(known) => *known,
            None => {
                let entry = self.unit.add(self.unit.root(), gimli::DW_TAG_subprogram);
                self.set_name(entry, inlined.name);
                let kind = AttributeValue::Inline(gimli::DW_INL_inlined);
                self.set(entry, gimli::DW_AT_inline, kind);
                self.abstracts.insert(inlined.name, entry);
                entry
            }
        };
        let entry = self.unit.add(parent, gimli::DW_TAG_inlined_subroutine);
        self.set(entry, gimli::DW_AT_abstract_origin, AttributeValue::UnitRef(origin));
        let at = |offset: u32| Address::Symbol { symbol, addend: i64::from(offset) };
        if let [(start, end)] = *ranges {
            self.set(entry, gimli::DW_AT_low_pc, AttributeValue::Address(at(start)));
            let len = AttributeValue::Udata(u64::from(end - start));
            self.set(entry, gimli::DW_AT_high_pc, len);
        } else {
            let ranges = ranges.iter().map(|(start, end)| Range::StartLength {
                begin: at(*start),
                length: u64::from(end - start),
            });
            self.set_ranges(entry, ranges.collect());
        }
        if let Some(file) = inlined.file.and_then(|number| self.file(number)) {
            self.set(entry, gimli::DW_AT_call_file, AttributeValue::FileIndex(Some(file)));
        }
        let (line, column) = (u64::from(inlined.line), u64::from(inlined.column));
        self.set(entry, gimli::DW_AT_call_line, AttributeValue::Udata(line));
        self.set(entry, gimli::DW_AT_call_column, AttributeValue::Udata(column));
        entry
    }

    fn set_name(&mut self, entry: UnitEntryId, number: usize) {
        let Name { name, linkage_name, is_external, file, line } = &self.source.names[number];
        if let Some(name) = name {
            self.set_text(entry, gimli::DW_AT_name, name);
        }
        if let Some(name) = linkage_name {
            self.set_text(entry, gimli::DW_AT_linkage_name, name);
        }
        if *is_external {
            self.set(entry, gimli::DW_AT_external, AttributeValue::Flag(true));
        }
        if let Some(file) = file.and_then(|number| self.file(number)) {
            self.set(entry, gimli::DW_AT_decl_file, AttributeValue::FileIndex(Some(file)));
            let line = AttributeValue::Udata(u64::from(*line));
            self.set(entry, gimli::DW_AT_decl_line, line);
        }
    }
}

/// The native code that came from an inlined call, sorted and as few ranges as can be. `segments` are
/// sorted by address; `budget` is how many of them may still be looked at.
fn native_ranges(inlined: &Inlined, segments: &[Segment], budget: &mut usize) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    for (begin, end) in &inlined.ranges {
        let first = segments.partition_point(|segment| segment.address < *begin);
        let within = segments[first..].iter().take_while(|segment| segment.address < *end);
        for segment in within.take(*budget) {
            *budget -= 1;
            found.push((segment.start, segment.end));
        }
    }
    found.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for (start, end) in found {
        match ranges.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            _ => ranges.push((start, end)),
        }
    }
    ranges
}
