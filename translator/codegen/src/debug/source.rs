//! The module's own DWARF, as far as it says which code comes from which line.
//!
//! Its addresses count from the beginning of the code section's contents; a function begins at its
//! body. Whatever is damaged or unknown is left out: it is no reason to reject a module.

use crate::module::Module;
use gimli::{
    AttributeValue, DW_AT_abstract_origin, DW_AT_call_column, DW_AT_call_file, DW_AT_call_line,
    DW_AT_decl_file, DW_AT_decl_line, DW_AT_external, DW_AT_language, DW_AT_linkage_name,
    DW_AT_low_pc, DW_AT_name, DW_AT_producer, DW_AT_specification, DwAt, EndianSlice, LittleEndian,
    UnitOffset,
};
use std::collections::{BTreeMap, HashMap};

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a> = gimli::DebuggingInformationEntry<Reader<'a>>;

/// From a function to the entry that says its name there are a few steps at most.
const MAX_STEPS: usize = 8;

/// What is known of the sources of a module.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    pub units: Vec<Unit<'a>>,
    /// Unit and number of the function whose body begins at an address.
    functions: BTreeMap<u32, (usize, usize)>,
}

/// A file that was compiled, with all that it includes.
#[derive(Debug, Default)]
pub(crate) struct Unit<'a> {
    pub name: Option<&'a [u8]>,
    pub directory: Option<&'a [u8]>,
    pub producer: Option<&'a [u8]>,
    pub language: Option<gimli::DwLang>,
    /// Directory and name.
    pub files: Vec<(Option<&'a [u8]>, &'a [u8])>,
    /// Sorted by address.
    pub rows: Vec<Row>,
    pub names: Vec<Name<'a>>,
    pub functions: Vec<Function>,
}

/// From this address on, the code is that of this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub address: u32,
    /// Number in [`Unit::files`].
    pub file: u32,
    pub line: u32,
    pub column: u32,
    pub is_statement: bool,
}

/// What a function is called, and where it is defined.
#[derive(Debug, Default)]
pub(crate) struct Name<'a> {
    pub name: Option<&'a [u8]>,
    pub linkage_name: Option<&'a [u8]>,
    pub is_external: bool,
    pub file: Option<u32>,
    pub line: u32,
}

#[derive(Debug)]
pub(crate) struct Function {
    /// Number in [`Unit::names`].
    pub name: usize,
    pub start: u32,
    pub end: u32,
    /// Calls that the compiler has replaced by the called function. Those within one come after it,
    /// one level deeper.
    pub inlined: Vec<Inlined>,
}

#[derive(Debug)]
pub(crate) struct Inlined {
    pub level: usize,
    pub name: usize,
    pub ranges: Vec<(u32, u32)>,
    pub file: Option<u32>,
    pub line: u32,
    pub column: u32,
}

impl<'a> Sources<'a> {
    pub(crate) fn read(module: &Module<'a>) -> Sources<'a> {
        let mut sources = Sources::default();
        if module.debug_sections.is_empty() {
            return sources;
        }
        let section = |id: gimli::SectionId| -> Result<Reader<'a>, gimli::Error> {
            let bytes = module.debug_sections.get(id.name()).copied().unwrap_or_default();
            Ok(EndianSlice::new(bytes, LittleEndian))
        };
        let Ok(mut dwarf) = gimli::Dwarf::load(section) else { return sources };
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        let bodies: BTreeMap<u32, u32> = module
            .bodies
            .iter()
            .map(|body| {
                let range = body.body.range();
                ((range.start - module.code_start) as u32, (range.end - module.code_start) as u32)
            })
            .collect();
        // Units may share lines, and entries ranges: a small module could hold very many.
        let mut budget = module.debug_sections.values().map(|bytes| bytes.len()).sum();
        let mut headers = dwarf.units();
        while budget > 0
            && let Ok(Some(header)) = headers.next()
        {
            if let Ok(unit) = dwarf.unit(header) {
                let context = Context { dwarf: &dwarf, unit: &unit, bodies: &bodies };
                sources.add(context.read(&mut budget));
            }
        }
        sources
    }

    fn add(&mut self, unit: Unit<'a>) {
        for (number, function) in unit.functions.iter().enumerate() {
            self.functions.entry(function.start).or_insert((self.units.len(), number));
        }
        self.units.push(unit);
    }

    /// The function whose body begins at `start`, with its unit.
    pub(crate) fn function(&self, start: u32) -> Option<(usize, &Function)> {
        let (unit, number) = *self.functions.get(&start)?;
        Some((unit, &self.units[unit].functions[number]))
    }
}

impl Unit<'_> {
    /// The row for code at `address` of `function`.
    pub(crate) fn row(&self, function: &Function, address: u32) -> Option<&Row> {
        let end = self.rows.partition_point(|row| row.address <= address);
        self.rows[..end].last().filter(|row| row.address >= function.start)
    }

    /// The first row of a function.
    pub(crate) fn first_row(&self, function: &Function) -> Option<&Row> {
        let begin = self.rows.partition_point(|row| row.address < function.start);
        self.rows.get(begin).filter(|row| row.address < function.end)
    }
}

struct Context<'c, 'a> {
    dwarf: &'c gimli::Dwarf<Reader<'a>>,
    unit: &'c gimli::Unit<Reader<'a>>,
    /// Start and end of every function of the module.
    bodies: &'c BTreeMap<u32, u32>,
}

impl<'a> Context<'_, 'a> {
    fn read(&self, budget: &mut usize) -> Unit<'a> {
        let mut unit = Unit {
            name: self.unit.name.map(|name| name.slice()),
            directory: self.unit.comp_dir.map(|directory| directory.slice()),
            ..Unit::default()
        };
        self.lines(&mut unit, budget);
        // What was read before some damage is as good as ever.
        let _ = self.entries(&mut unit, budget);
        unit
    }

    fn lines(&self, unit: &mut Unit<'a>, budget: &mut usize) {
        let Some(program) = self.unit.line_program.clone() else { return };
        let header = program.header();
        // Numbers of files begin at 1 in older versions; then 0 is the unit itself.
        let first = u64::from(header.version() <= 4);
        let text = |value| self.dwarf.attr_string(self.unit, value).ok().map(|s| s.slice());
        if first == 1 {
            unit.files.push((unit.directory, unit.name.unwrap_or_default()));
        }
        *budget = budget.saturating_sub(header.file_names().len());
        for file in header.file_names() {
            let directory = header.directory(file.directory_index()).and_then(text);
            unit.files.push((directory, text(file.path_name()).unwrap_or_default()));
        }
        let mut sequence = Vec::new();
        let mut rows = program.rows();
        while *budget > 0
            && let Ok(Some((_, row))) = rows.next_row()
        {
            *budget -= 1;
            if row.end_sequence() {
                // Code that the linker has removed keeps its lines, at no address.
                let first: Option<&Row> = sequence.first();
                let body = first.and_then(|r| self.bodies.range(..=r.address).next_back());
                if first.zip(body).is_some_and(|(row, body)| row.address < *body.1) {
                    unit.rows.append(&mut sequence);
                }
                sequence.clear();
                continue;
            }
            let (Ok(address), Ok(file)) = (row.address().try_into(), row.file_index().try_into())
            else {
                continue;
            };
            // Code of no line counts to the line before it.
            let Some(line) = row.line().and_then(|line| line.get().try_into().ok()) else {
                continue;
            };
            let column = match row.column() {
                gimli::ColumnType::LeftEdge => 0,
                gimli::ColumnType::Column(column) => column.get(),
            };
            sequence.push(Row {
                address,
                file,
                line,
                column: column.try_into().unwrap_or(0),
                is_statement: row.is_stmt(),
            });
        }
        // Stable: of several rows of one address the last one holds.
        unit.rows.sort_by_key(|row| row.address);
    }

    fn entries(&self, unit: &mut Unit<'a>, budget: &mut usize) -> Result<(), gimli::Error> {
        let mut names = HashMap::new();
        let mut cursor = self.unit.entries();
        // The depth of the function that is being read, and those of the inlined calls around.
        let mut function: Option<isize> = None;
        let mut around: Vec<isize> = Vec::new();
        while let Some(entry) = cursor.next_dfs()? {
            let depth = entry.depth();
            if function.is_some_and(|of| depth <= of) {
                function = None;
            }
            if depth == 0 {
                unit.producer = self.text(entry, DW_AT_producer);
                unit.language = match entry.attr_value(DW_AT_language) {
                    Some(AttributeValue::Language(language)) => Some(language),
                    _ => None,
                };
                continue;
            }
            match entry.tag() {
                gimli::DW_TAG_subprogram if function.is_none() => {
                    let Some(AttributeValue::Addr(start)) = self.address(entry) else { continue };
                    let Ok(start) = u32::try_from(start) else { continue };
                    let Some(end) = self.bodies.get(&start) else { continue };
                    let name = self.name(unit, &mut names, entry.offset());
                    unit.functions.push(Function { name, start, end: *end, inlined: Vec::new() });
                    function = Some(depth);
                    around.clear();
                }
                gimli::DW_TAG_inlined_subroutine if function.is_some() => {
                    while around.last().is_some_and(|outer| depth <= *outer) {
                        around.pop();
                    }
                    let Some(AttributeValue::UnitRef(origin)) =
                        entry.attr_value(DW_AT_abstract_origin)
                    else {
                        continue;
                    };
                    let mut ranges = Vec::new();
                    let mut list = self.dwarf.die_ranges(self.unit, entry)?;
                    while let Some(range) = list.next()? {
                        if *budget == 0 {
                            return Ok(());
                        }
                        *budget -= 1;
                        if let (Ok(begin), Ok(end)) = (range.begin.try_into(), range.end.try_into())
                        {
                            ranges.push((begin, end));
                        }
                    }
                    let inlined = Inlined {
                        level: around.len(),
                        name: self.name(unit, &mut names, origin),
                        ranges,
                        file: number(entry, DW_AT_call_file),
                        line: number(entry, DW_AT_call_line).unwrap_or(0),
                        column: number(entry, DW_AT_call_column).unwrap_or(0),
                    };
                    around.push(depth);
                    if let Some(function) = unit.functions.last_mut() {
                        function.inlined.push(inlined);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn address(&self, entry: &Entry<'a>) -> Option<AttributeValue<Reader<'a>>> {
        let value = entry.attr_value(DW_AT_low_pc)?;
        self.dwarf.attr_address(self.unit, value).ok().flatten().map(AttributeValue::Addr)
    }

    fn text(&self, entry: &Entry<'a>, attribute: DwAt) -> Option<&'a [u8]> {
        let value = entry.attr_value(attribute)?;
        self.dwarf.attr_string(self.unit, value).ok().map(|text| text.slice())
    }

    /// Number of the name of the function at `offset`.
    fn name(
        &self,
        unit: &mut Unit<'a>,
        names: &mut HashMap<UnitOffset, usize>,
        offset: UnitOffset,
    ) -> usize {
        *names.entry(offset).or_insert_with(|| {
            let mut name = Name::default();
            let mut next = Some(offset);
            for _ in 0..MAX_STEPS {
                let Some(Ok(entry)) = next.map(|offset| self.unit.entry(offset)) else { break };
                name.name = name.name.or_else(|| self.text(&entry, DW_AT_name));
                name.linkage_name =
                    name.linkage_name.or_else(|| self.text(&entry, DW_AT_linkage_name));
                name.is_external |= entry.attr_value(DW_AT_external).is_some();
                if name.line == 0 {
                    name.file = number(&entry, DW_AT_decl_file);
                    name.line = number(&entry, DW_AT_decl_line).unwrap_or(0);
                }
                let origin = entry
                    .attr_value(DW_AT_abstract_origin)
                    .or_else(|| entry.attr_value(DW_AT_specification));
                next = match origin {
                    Some(AttributeValue::UnitRef(offset)) => Some(offset),
                    _ => None,
                };
            }
            unit.names.push(name);
            unit.names.len() - 1
        })
    }
}

fn number(entry: &Entry, attribute: DwAt) -> Option<u32> {
    match entry.attr_value(attribute)? {
        AttributeValue::FileIndex(file) => file.try_into().ok(),
        value => value.udata_value()?.try_into().ok(),
    }
}
