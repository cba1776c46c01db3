//! Looks from outside at the memory of a machine's process: what is not the guest's stays as it is.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use linnet_build::{At as _, Error, Result};

/// A linear memory owns that many addresses, and uses the first half of them.
const SLOT: u64 = 8 << 30;

/// Where linear memories and the stacks of tasks lie: see `runtime/machine/src/memory/layout.rs`.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    slots: u64,
    regions: u64,
    end: u64,
}

impl Place {
    /// Of 47 bits.
    pub(crate) const LARGE: Place =
        Place { slots: 1 << 44, regions: 7 << 44, end: (7 << 44) + (1 << 40) };
    /// Of 38 bits.
    pub(crate) const SMALL: Place = Place { slots: SLOT, regions: 25 * SLOT, end: 29 * SLOT };
}

/// Variables of the environment: the host puts them on the first stack, which nobody writes to any more.
pub(crate) fn canaries() -> impl Iterator<Item = (String, String)> {
    (0..COUNT).map(|n| (format!("CANARY{n}"), text(n)))
}

const COUNT: usize = 16;

fn text(n: usize) -> String {
    format!("[canary {n}]").repeat(3000)
}

/// Where the canaries' texts begin, and their numbers.
fn canaries_in(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let name = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"CANARY"));
    name.filter_map(|at| {
        let equals = at + bytes[at..].iter().take(10).position(|byte| *byte == b'=')?;
        let n = str::from_utf8(&bytes[at + 6..equals]).ok()?.parse().ok()?;
        bytes[equals + 1..].starts_with(text(n).as_bytes()).then_some((equals + 1, n))
    })
}

/// A line of /proc/PID/maps.
struct Mapping {
    range: Range<u64>,
    rights: String,
    name: String,
}

/// What a process was when it was looked at first.
pub(crate) struct Watch {
    process: u32,
    place: Place,
    is_emulated: bool,
    /// Where the canaries are.
    canaries: Vec<(u64, usize)>,
    /// Of the host's mappings, those that nobody may write, with what is in them.
    fixed: Vec<(Range<u64>, u64)>,
    /// All of the host's but the first stack, which may grow.
    of_host: Vec<Range<u64>>,
}

impl Watch {
    pub(crate) fn new(process: u32, place: Place) -> Result<Watch> {
        const LARGEST: u64 = 64 << 20;
        let mut watch = Watch {
            process,
            place,
            is_emulated: false,
            canaries: Vec::new(),
            fixed: Vec::new(),
            of_host: Vec::new(),
        };
        let mappings = watch.mappings()?;
        watch.is_emulated = mappings.iter().any(|mapping| mapping.name.contains("qemu"));
        watch.of_host = watch.merged(&mappings);
        for Mapping { range, rights, name } in &mappings {
            if range.end - range.start > LARGEST
                || name.contains("memfd:")
                || name.starts_with("[v")
            {
                continue;
            }
            if rights.starts_with("r-") && !name.is_empty() && !watch.is_emulated {
                watch.fixed.push((range.clone(), watch.hash(range)?));
            } else if rights.starts_with("rw") {
                let bytes = watch.read(range)?;
                let found = canaries_in(&bytes).map(|(at, n)| (range.start + at as u64, n));
                watch.canaries.extend(found);
            }
        }
        if watch.canaries.len() < COUNT {
            return Err(Error::new(format!("{} canaries", watch.canaries.len())));
        }
        watch.look()?;
        Ok(watch)
    }

    /// Has anything changed that must not?
    pub(crate) fn look(&self) -> Result<()> {
        for (at, n) in &self.canaries {
            let wanted = text(*n);
            if self.read(&(*at..*at + wanted.len() as u64))? != wanted.as_bytes() {
                return Err(Error::new(format!("canary {n} at {at:#x} has changed")));
            }
        }
        for (range, hash) in &self.fixed {
            if self.hash(range)? != *hash {
                return Err(Error::new(format!(
                    "what the host has mapped at {range:#x?} has changed"
                )));
            }
        }
        let mappings = self.mappings()?;
        for Mapping { range, rights, name } in &mappings {
            let Place { slots, regions, end } = self.place;
            let in_slots = range.start >= slots && range.end <= regions;
            let is_of_guest = name.contains("memfd:linnet");
            let fits =
                range.start / SLOT == (range.end - 1) / SLOT && (range.end - 1) % SLOT < SLOT / 2;
            if is_of_guest && !(in_slots && fits && !rights.contains('x')) {
                return Err(Error::new(format!("guest memory lies at {range:#x?}, {rights}")));
            }
            let is_of_task = range.start >= regions && range.end <= end && name.is_empty();
            let is_anchor = in_slots && fits && rights.starts_with("---");
            let is_ours = is_of_guest || is_anchor || is_of_task && rights == "rw-p";
            if (in_slots || is_of_task) && !is_ours && !name.starts_with('[') {
                return Err(Error::new(format!("{name:?} lies at {range:#x?}, {rights}")));
            }
        }
        if !self.is_emulated && self.merged(&mappings) != self.of_host {
            return Err(Error::new(format!(
                "the host's mappings were {:#x?} and are {:#x?}",
                self.of_host,
                self.merged(&mappings)
            )));
        }
        Ok(())
    }

    fn mappings(&self) -> Result<Vec<Mapping>> {
        let path = format!("/proc/{}/maps", self.process);
        let text = fs::read_to_string(&path).at(&path)?;
        let parse = |line: &str| {
            let mut words = line.split_whitespace();
            let (start, end) = words.next()?.split_once('-')?;
            let rights = words.next()?.to_owned();
            let number = |text| u64::from_str_radix(text, 16).ok();
            let name = words.skip(3).collect::<Vec<_>>().join(" ");
            Some(Mapping { range: number(start)?..number(end)?, rights, name })
        };
        Ok(text.lines().filter_map(parse).collect())
    }

    /// The host's mappings, those together that lie together: the runtime changes rights in parts of its own.
    fn merged(&self, mappings: &[Mapping]) -> Vec<Range<u64>> {
        let mut merged: Vec<Range<u64>> = Vec::new();
        for Mapping { range, name, .. } in mappings {
            if (self.place.slots..self.place.end).contains(&range.start) || name == "[stack]" {
                continue;
            }
            match merged.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => merged.push(range.clone()),
            }
        }
        merged
    }

    fn hash(&self, range: &Range<u64>) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        self.read(range)?.hash(&mut hasher);
        Ok(hasher.finish())
    }

    fn read(&self, range: &Range<u64>) -> Result<Vec<u8>> {
        let path = format!("/proc/{}/mem", self.process);
        let mut bytes = vec![0; (range.end - range.start) as usize];
        File::open(&path).and_then(|file| file.read_exact_at(&mut bytes, range.start)).at(&path)?;
        Ok(bytes)
    }
}
