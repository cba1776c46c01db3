//! A module becomes a library for hosts: its object and the support library in one file.

use std::fs;
use std::path::{Path, PathBuf};

use linnet_codegen::{Options, Target};
use object::{Object as _, ObjectSymbol as _};

use crate::boot::architecture;
use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::link;
use crate::object_file::Writer;
use crate::runtime::EMBED;
use crate::translate;

/// Kind of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `lib.a`
    Static,
    /// `lib.so`
    Shared,
}

impl Kind {
    /// By the ending of its name.
    #[must_use]
    pub fn of(place: &Path) -> Option<Kind> {
        match place.extension()?.to_str()? {
            "a" => Some(Kind::Static),
            "so" => Some(Kind::Shared),
            _ => None,
        }
    }
}

/// A library to be.
#[derive(Debug)]
pub struct Library<'a> {
    /// For errors.
    pub module: &'a Path,
    pub wasm: &'a [u8],
    pub options: Options,
    pub kind: Kind,
    /// By which programs find a shared one.
    pub name: &'a str,
}

const SUPPORT: &str = "support.o";
/// Any function of the library: all are in one object.
const ROOT: &str = "linnet_store_new";
/// What a shared library shows. Of several libraries in one process the first one's support serves all.
const VISIBLE: &str = "{ global: linnet_*; linnet.*; local: *; };\n";
/// What the support library needs of the host.
const NEEDED: [&str; 3] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1"];

impl Builder {
    /// The bytes of the library.
    pub fn library(&self, what: &Library<'_>) -> Result<Vec<u8>> {
        let translated = linnet_codegen::translate(what.wasm, &what.options)
            .map_err(|cause| translate::error(what.module, &cause))?;
        let support = self.support(what.options.target)?;
        if what.kind == Kind::Static {
            let support = fs::read(&support).at(support.display())?;
            return archive(&[("module.o", &translated.bytes), (SUPPORT, &support)]);
        }
        let key = Key::new("shared")
            .with_digest("object", Digest::of(&translated.bytes))
            .with_digest("runtime", self.runtime_key(EMBED, what.options.target)?)
            .with("name", what.name)
            .finish();
        let result = self.cache.get("shared", key, |out, work| {
            let (object, script) = (work.join("module.o"), work.join("visible.map"));
            fs::write(&object, &translated.bytes).at(object.display())?;
            fs::write(&script, VISIBLE).at(script.display())?;
            let step = self.progress.step("link");
            let log = self.cache.path("logs/link");
            let mut needed = Vec::new();
            for name in NEEDED {
                // Only the name of it counts: nothing of the host's is here to link with.
                let (place, empty) = (work.join(name), work.join("empty.o"));
                let bytes = Writer::new(architecture(what.options.target)).finish()?;
                fs::write(&empty, bytes).at(empty.display())?;
                link::shared(&place, name, &[empty], &[], None, &log, &step)?;
                needed.push(place);
            }
            let objects = [object, support.clone()];
            link::shared(
                &out.join("lib.so"),
                what.name,
                &objects,
                &needed,
                Some(&script),
                &log,
                &step,
            )?;
            step.done_quietly();
            Ok(())
        })?;
        let place = result.join("lib.so");
        fs::read(&place).at(place.display())
    }

    /// The support library as one object.
    fn support(&self, target: Target) -> Result<PathBuf> {
        let key =
            Key::new("support").with_digest("runtime", self.runtime_key(EMBED, target)?).finish();
        let result = self.cache.get("support", key, |out, _| {
            let archive = self.runtime_archive(EMBED, target)?;
            let step = self.progress.step("link");
            let log = self.cache.path("logs/link");
            link::combine(&out.join(SUPPORT), &archive, ROOT, &log, &step)?;
            step.done_quietly();
            Ok(())
        })?;
        Ok(result.join(SUPPORT))
    }
}

/// An archive in the format of `ar` with an index, as linkers want it.
fn archive(members: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    const MAGIC: &[u8] = b"!<arch>\n";
    const HEADER: usize = 60;
    let failed = |_| Error::new("a library would exceed 4 GiB");
    let padded = |len: usize| len.next_multiple_of(2);
    let mut symbols = Vec::new();
    for (number, (_, bytes)) in members.iter().enumerate() {
        let file = object::File::parse(*bytes).at("library")?;
        let defined = file.symbols().filter(|s| s.is_global() && s.is_definition());
        symbols.extend(defined.filter_map(|s| Some((number, s.name().ok()?.to_owned()))));
    }
    let names: usize = symbols.iter().map(|(_, name)| name.len() + 1).sum();
    let index = 4 + 4 * symbols.len() + names;
    let mut places = Vec::new();
    let mut next = MAGIC.len() + HEADER + padded(index);
    for (_, bytes) in members {
        places.push(u32::try_from(next).map_err(failed)?);
        next += HEADER + padded(bytes.len());
    }
    let mut table = u32::try_from(symbols.len()).map_err(failed)?.to_be_bytes().to_vec();
    for (member, _) in &symbols {
        table.extend(places[*member].to_be_bytes());
    }
    for (_, name) in &symbols {
        table.extend(name.as_bytes());
        table.push(0);
    }
    let mut file = MAGIC.to_vec();
    // No times and owners: the same library is the same file.
    let mut push = |name: String, bytes: &[u8]| {
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, bytes.len());
        file.extend(header.as_bytes());
        file.extend(bytes);
        if !bytes.len().is_multiple_of(2) {
            file.push(b'\n');
        }
    };
    push("/".to_owned(), &table);
    for (name, bytes) in members {
        push(format!("{name}/"), bytes);
    }
    Ok(file)
}

/// What `--pkg-config` writes: for a library and a header in directories that are named relative to the file's own.
#[must_use]
pub fn pkg_config(prefix: &str, library: &str, headers: &str, kind: Kind) -> String {
    let rest = if kind == Kind::Static { " -lm -lpthread -ldl" } else { "" };
    format!(
        "# Written by linnet compile; do not edit.\nName: {prefix}\nDescription: A WebAssembly module, translated\n\
         Version: {}\nCflags: -I{headers}\nLibs: {library}{rest}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// What `--cmake` writes: the target `linnet::PREFIX`.
#[must_use]
pub fn cmake(prefix: &str, library: &str, headers: &str, kind: Kind) -> String {
    let (word, rest) = match kind {
        Kind::Static => ("STATIC", "\n\tINTERFACE_LINK_LIBRARIES \"m;pthread;dl\""),
        Kind::Shared => ("SHARED", ""),
    };
    format!(
        "# Written by linnet compile; do not edit.\nif(NOT TARGET linnet::{prefix})\n\
         \tadd_library(linnet::{prefix} {word} IMPORTED)\n\
         \tset_target_properties(linnet::{prefix} PROPERTIES\n\tIMPORTED_LOCATION \"{library}\"\n\
         \tINTERFACE_INCLUDE_DIRECTORIES \"{headers}\"{rest})\nendif()\n"
    )
}
