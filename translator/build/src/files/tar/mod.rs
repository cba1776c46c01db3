//! Reads tar archives in all forms that POSIX and GNU describe: V7, ustar, pax and GNU's own. What a
//! guest's file system cannot have is an error, and so is what could be read in two ways.

mod header;
mod pax;
mod sparse;

use std::io::{self, Read};

use self::header::{Form, Header, text};
use self::pax::Records;
use self::sparse::Map;
use crate::error::{At as _, Error, Result};
use crate::system::MOST_MEMORY;
use crate::tree::{Kind, Node, Tree, shown};

const BLOCK: usize = 512;

/// Bytes of headers before one entry: names, attributes and maps of holes.
const MOST_HEADERS: u64 = 16 << 20;

/// An entry that is a file, or one more name of a file.
#[derive(Debug)]
pub(super) struct Entry {
    /// From the root, without a slash before it or a `.` in it; nothing for the root itself.
    pub(super) path: Vec<u8>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Node(Node),
    /// A hard link to that path, with the file's contents if the archive has them here as well.
    HardLink {
        target: Vec<u8>,
        contents: Option<Vec<u8>>,
    },
}

impl Entry {
    pub(super) fn add_to(self, tree: &mut Tree) -> Result<()> {
        match self.what {
            What::Node(node) => tree.add(&self.path, node),
            What::HardLink { target, contents } => {
                tree.link(&self.path, &target)?;
                let there = tree.get(&self.path).map(|node| &node.kind);
                match contents {
                    Some(contents) if there != Some(&Kind::file(contents.as_slice())) => {
                        Err(Error::new("a hard link with other contents than the file")
                            .at(shown(&self.path)))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Whether an archive may start like this: with a header, or with the zeros of one that is empty.
pub(super) fn is_archive(start: &[u8]) -> bool {
    let Some(block) = start.first_chunk() else { return false };
    let header = Header(*block);
    header.is_zero() || header.is_whole() || header.form() != Form::V7
}

/// Gives `each` the entries of an archive, and reads what is behind them to its end.
pub(super) fn read(input: impl Read, mut each: impl FnMut(Entry) -> Result<()>) -> Result<()> {
    let mut archive = Archive { input, left: MOST_MEMORY, global_left: MOST_HEADERS };
    let mut global = Records::default();
    while let Some(entry) = archive.entry(&mut global)? {
        each(entry)?;
    }
    // So that what compresses it can say whether all of it is as it was.
    io::copy(&mut archive.input, &mut io::sink()).at("decompression").map(drop)
}

struct Archive<R> {
    input: R,
    /// Bytes of files that may still come.
    left: u64,
    /// Bytes of headers for all files that may still come.
    global_left: u64,
}

impl<R: Read> Archive<R> {
    /// The next block, if the archive does not end before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]).at("decompression")? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(cut()),
                read => filled += read,
            }
        }
        Ok(Some(block))
    }

    /// Exactly so many bytes, with what fills their last block.
    fn bytes(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // It grows by what is there, whatever the size claims.
        let read = (&mut self.input).take(size).read_to_end(&mut bytes).at("decompression")?;
        if (read as u64) < size {
            return Err(cut());
        }
        self.pad(size)?;
        Ok(bytes)
    }

    fn skip(&mut self, size: u64) -> Result<u64> {
        io::copy(&mut (&mut self.input).take(size), &mut io::sink()).at("decompression")
    }

    /// Skips what fills the last block of so many bytes. Some writers leave it out at the end.
    fn pad(&mut self, size: u64) -> Result<()> {
        self.skip(size.wrapping_neg() % BLOCK as u64).map(drop)
    }

    /// The next entry, with all that is said about it.
    fn entry(&mut self, global: &mut Records) -> Result<Option<Entry>> {
        let mut before = Before::default();
        let mut headers_left = MOST_HEADERS;
        loop {
            let Some(header) = self.header()? else {
                return match before.is_some {
                    true => Err(Error::new("the archive ends where a file should follow")),
                    false => Ok(None),
                };
            };
            let kind = header.kind();
            let place = |error: Error| error.at(shown(&header.name()));
            if !matches!(kind, b'L' | b'K' | b'x' | b'X' | b'g') {
                // A name takes memory as well.
                self.count(BLOCK as u64)?;
                match self.file(&header, &before, global)? {
                    Some(entry) => return Ok(Some(entry)),
                    None => before = Before::default(),
                }
                continue;
            }
            let size = size(&header).map_err(place)?;
            let left = if kind == b'g' { &mut self.global_left } else { &mut headers_left };
            *left = left.checked_sub(size).ok_or_else(|| {
                Error::new(format!("more than {} MiB of headers", MOST_HEADERS >> 20)).at("tar")
            })?;
            let data = self.bytes(size)?;
            match kind {
                b'L' => before.name = Some(text(&data).to_vec()),
                b'K' => before.link = Some(text(&data).to_vec()),
                b'g' => global.read(&data).map_err(place)?,
                _ => {
                    before.records.read(&data).map_err(place)?;
                    before.is_pax = true;
                }
            }
            before.is_some |= kind != b'g';
        }
    }

    /// The next header, unless the archive ends here: with a block of zeros, or without.
    fn header(&mut self) -> Result<Option<Header>> {
        let Some(header) = self.block()?.map(Header) else { return Ok(None) };
        if header.is_zero() {
            return match self.block()? {
                Some(next) if next != [0; BLOCK] => {
                    Err(Error::new("a block of zeros between the files of the archive")
                        .at("tar")
                        .hint("is it damaged, or several archives in one?"))
                }
                _ => Ok(None),
            };
        }
        if !header.is_whole() {
            return Err(Error::new("a header that is damaged").at("tar"));
        }
        Ok(Some(header))
    }

    /// The file that a header is about, after those that were `before` it.
    fn file(
        &mut self,
        header: &Header,
        before: &Before,
        global: &Records,
    ) -> Result<Option<Entry>> {
        let records = &before.records;
        let name = match records.name(global, "path")? {
            Some(name) => name.to_vec(),
            None => before.name.clone().unwrap_or_else(|| header.name()),
        };
        let sparse_name = records.get(global, "GNU.sparse.name").map(<[u8]>::to_vec);
        let name = sparse_name.unwrap_or(name);
        let entry = self.file_called(&name, header, before, global);
        entry.map_err(|error| error.at(shown(&name)))
    }

    fn file_called(
        &mut self,
        name: &[u8],
        header: &Header,
        before: &Before,
        global: &Records,
    ) -> Result<Option<Entry>> {
        let records = &before.records;
        records.check(global)?;
        let size = match records.number(global, "size")? {
            Some(size) => u64::try_from(size).ok(),
            None => header.size().and_then(|size| u64::try_from(size).ok()),
        };
        let size = size.ok_or_else(|| no_number("size"))?;
        let link = || -> Result<Vec<u8>> {
            let link = match records.name(global, "linkpath")? {
                Some(link) => link.to_vec(),
                None => before.link.clone().unwrap_or_else(|| header.link().to_vec()),
            };
            if link.is_empty() { Err(Error::new("a link to nothing")) } else { Ok(link) }
        };
        let kind = match header.kind() {
            // V7 has no other directories.
            b'0' | 0 | b'7' if name.ends_with(b"/") => {
                self.skip_file(size)?;
                Kind::Directory
            }
            b'0' | 0 | b'7' => Kind::file(self.contents(size, records, global)?),
            b'S' => Kind::file(self.sparse_contents(size, header)?),
            b'1' => {
                // What pax adds, and no other.
                let contents = match size {
                    1.. if before.is_pax => Some(self.counted(size)?),
                    _ => None,
                };
                let what = What::HardLink { target: normalize(&link()?)?, contents };
                return Ok(Some(Entry { path: normalize(name)?, what }));
            }
            b'2' => Kind::Link(link()?),
            b'3' | b'4' => {
                let (major, minor) = device(header, records, global)?;
                match header.kind() {
                    b'3' => Kind::CharacterDevice { major, minor },
                    _ => Kind::BlockDevice { major, minor },
                }
            }
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            // A directory, with the names in it.
            b'D' => {
                self.skip_file(size)?;
                Kind::Directory
            }
            // The name of a tape.
            b'V' => {
                self.skip_file(size)?;
                return Ok(None);
            }
            b'M' => {
                return Err(Error::new("a part of a file that began in another volume")
                    .hint("put the volumes together, with tar -xM and tar -c"));
            }
            other => {
                return Err(Error::new(format!(
                    "an entry of type '{}', which is no file of Linux",
                    other.escape_ascii()
                ))
                .hint("GNU tar and others write types that Linux has with --format=pax"));
            }
        };
        let field = |key: &str, value: Option<i128>, most: u32| -> Result<u32> {
            let value = match records.number(global, key)? {
                Some(value) => value,
                None => value.ok_or_else(|| no_number(key))?,
            };
            let fits = u32::try_from(value).ok().filter(|value| *value <= most);
            fits.ok_or_else(|| {
                Error::new(format!("{key} {value}")).hint(format!("it is at most {most}"))
            })
        };
        let time = match records.time(global, "mtime")? {
            Some(time) => time,
            None => header.time().ok_or_else(|| no_number("mtime"))?,
        };
        let time = u32::try_from(time).map_err(|_| {
            Error::new(format!("mtime {time}"))
                .hint("the first root file system has times from 1970 to 2106")
        })?;
        let mode = header.mode().ok_or_else(|| no_number("mode"))?;
        let node = Node {
            kind,
            // Some writers put the type of the file before it.
            mode: (mode & 0o7777) as u32,
            uid: field("uid", header.uid(), u32::MAX - 1)?,
            gid: field("gid", header.gid(), u32::MAX - 1)?,
            time,
        };
        Ok(Some(Entry { path: normalize(name)?, what: What::Node(node) }))
    }

    /// Skips contents, with what fills their last block.
    fn skip_file(&mut self, size: u64) -> Result<()> {
        if self.skip(size)? < size {
            return Err(cut());
        }
        self.pad(size)
    }

    /// Contents that count for what a guest can hold.
    fn counted(&mut self, size: u64) -> Result<Vec<u8>> {
        self.count(size)?;
        self.bytes(size)
    }

    fn count(&mut self, size: u64) -> Result<()> {
        self.left = self.left.checked_sub(size).ok_or_else(|| {
            Error::new("the files of the archive do not fit any guest's memory")
                .hint("a guest has 3G at most; larger files can be on a disk")
        })?;
        Ok(())
    }

    fn contents(&mut self, size: u64, records: &Records, global: &Records) -> Result<Vec<u8>> {
        let version = |part: &str| records.number(global, &format!("GNU.sparse.{part}"));
        let map = match (version("major")?, version("minor")?) {
            (None | Some(0), _) => Map::of_records(records)?,
            (Some(1), Some(0)) => {
                let whole = records.number(global, "GNU.sparse.realsize")?;
                let whole = whole.and_then(|size| u64::try_from(size).ok());
                let whole = whole.ok_or_else(|| no_number("GNU.sparse.realsize"))?;
                self.count(whole)?;
                let contents = self.counted(size)?;
                let (map, start) = Map::of_contents(&contents, whole)?;
                return map.expand(contents.get(start..).ok_or_else(cut)?);
            }
            (major, minor) => {
                let number = |part: Option<i128>| part.unwrap_or(0);
                let version = format!("{}.{}", number(major), number(minor));
                return Err(Error::new(format!("a sparse file of version {version}"))
                    .hint("there are 0.0, 0.1 and 1.0"));
            }
        };
        let Some(map) = map else { return self.counted(size) };
        self.count(map.size)?;
        map.expand(&self.counted(size)?)
    }

    /// Those of a file with holes as GNU's own form has it.
    fn sparse_contents(&mut self, size: u64, header: &Header) -> Result<Vec<u8>> {
        if header.form() != Form::Gnu {
            return Err(Error::new("a sparse file of another form than GNU's"));
        }
        let (pieces, mut more, whole) = header.sparse();
        let whole = whole.and_then(|size| u64::try_from(size).ok());
        let mut map = Map { size: whole.ok_or_else(|| no_number("real size"))?, ..Map::default() };
        self.count(map.size)?;
        map.read_fields(pieces)?;
        while more {
            let block = self.block()?.ok_or_else(cut)?;
            // 21 pieces, and whether there is another block.
            map.read_fields(&block[..504])?;
            more = block[504] != 0;
        }
        map.expand(&self.counted(size)?)
    }
}

/// What the headers before an entry say.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Records,
    is_pax: bool,
    is_some: bool,
}

fn cut() -> Error {
    Error::new("the archive ends within a file").at("tar")
}

fn no_number(field: &str) -> Error {
    Error::new(format!("the {field} is no number that makes sense"))
}

fn size(header: &Header) -> Result<u64> {
    let size = header.size().and_then(|size| u64::try_from(size).ok());
    size.ok_or_else(|| no_number("size"))
}

fn device(header: &Header, records: &Records, global: &Records) -> Result<(u32, u32)> {
    // V7 has no devices.
    let (major, minor) = match header.form() {
        Form::V7 => None,
        Form::Posix | Form::Gnu => header.device(),
    }
    .ok_or_else(|| no_number("device"))?;
    let part = |key: &str, value: i128| -> Result<u32> {
        let value = records.number(global, key)?.unwrap_or(value);
        u32::try_from(value).map_err(|_| no_number("device"))
    };
    Ok((part("SCHILY.devmajor", major)?, part("SCHILY.devminor", minor)?))
}

/// A path without empty parts and `.`. One with `..` could lead anywhere.
fn normalize(name: &[u8]) -> Result<Vec<u8>> {
    if name.is_empty() {
        return Err(Error::new("an entry without a name"));
    }
    let parts = || name.split(|byte| *byte == b'/');
    if parts().any(|part| part == b"..") {
        return Err(Error::new(
            "a name with .. in it, which may lead outside of the root file system",
        ));
    }
    let kept: Vec<&[u8]> = parts().filter(|part| !part.is_empty() && *part != b".").collect();
    Ok(kept.join(&b'/'))
}

#[cfg(test)]
mod tests;
