//! The programs, and the sources of others that some are made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Builder, Error, Result};

/// One program, its `run` in `programs/NAME.c`.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// What else it is made of.
    pub(crate) library: Option<Library>,
}

/// Unmodified sources of a package.
#[derive(Clone, Copy)]
pub(crate) struct Library {
    /// The recipe in `sysroot/packages` that says where they come from.
    pub(crate) package: &'static str,
    /// Directories of C files; all but those named with a `-` belong to it, if none is named without.
    pub(crate) files: &'static [(&'static str, &'static str)],
    pub(crate) includes: &'static [&'static str],
    pub(crate) flags: &'static [&'static str],
}

const fn own(name: &'static str) -> Program {
    Program { name, library: None }
}

const SQLITE: Library = Library {
    package: "sqlite",
    files: &[(".", "sqlite3")],
    includes: &[".", "test"],
    flags: &[
        "-DSQLITE_OS_OTHER=1",
        "-DSQLITE_THREADSAFE=0",
        "-DSQLITE_OMIT_LOAD_EXTENSION",
        "-DSQLITE_OMIT_WAL",
        "-DSQLITE_OMIT_LOCALTIME",
        "-DSQLITE_TEMP_STORE=3",
        "-DSQLITE_ENABLE_RTREE",
        // WebAssembly's is twice as wide as that of x86-64, in software.
        "-DLONGDOUBLE_TYPE=double",
    ],
};

pub(crate) const PROGRAMS: &[Program] = &[
    own("matmul"),
    own("interp"),
    own("sha256"),
    own("lz"),
    own("sort"),
    own("fib"),
    own("strops"),
    own("icall"),
    Program { name: "sqlite", library: Some(SQLITE) },
    Program {
        name: "zlib",
        library: Some(Library {
            package: "zlib",
            files: &[(
                ".",
                "adler32 compress crc32 deflate inffast inflate inftrees trees uncompr zutil",
            )],
            includes: &["."],
            flags: &[],
        }),
    },
    Program {
        name: "bzip2",
        library: Some(Library {
            package: "bzip2",
            files: &[(".", "blocksort bzlib compress crctable decompress huffman randtable")],
            includes: &["."],
            flags: &["-DBZ_NO_STDIO"],
        }),
    },
    Program {
        name: "zstd",
        library: Some(Library {
            package: "zstd",
            files: &[
                ("lib/common", ""),
                ("lib/compress", "-zstdmt_compress"),
                ("lib/decompress", ""),
            ],
            includes: &["lib"],
            // What there is for some processors only is left out: code generators are compared.
            flags: &["-DZSTD_DISABLE_ASM", "-DZSTD_NO_INTRINSICS", "-DDYNAMIC_BMI2=0"],
        }),
    },
    Program {
        name: "lua",
        library: Some(Library {
            package: "lua",
            files: &[("src", "-lua -luac -linit -liolib -loslib -loadlib -ldblib -lutf8lib")],
            includes: &["src"],
            // No clock and no address in what it does.
            flags: &["-Dluai_makeseed(L)=1", "-Dl_randomizePivot()=1", "-Dl_signalT=int"],
        }),
    },
    Program {
        name: "mujs",
        library: Some(Library {
            package: "mujs",
            files: &[(".", "one")],
            includes: &["."],
            flags: &[],
        }),
    },
    Program { name: "speedtest1", library: Some(SQLITE) },
];

/// Everything that a program is compiled from.
pub(crate) struct Sources {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) flags: Vec<String>,
}

/// This directory.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/translator")
}

impl Program {
    /// Finds the sources, fetched and unpacked below `work`.
    pub(crate) fn sources(&self, builder: &Builder, work: &Path) -> Result<Sources> {
        let here = here();
        let mut files = vec![here.join("programs").join(format!("{}.c", self.name))];
        files.extend(["harness.c", "alloc.c"].map(|name| here.join(name)));
        let mut flags = Vec::new();
        if let Some(library) = self.library {
            let place = unpack(builder, work, library.package)?;
            for (directory, names) in library.files {
                files.extend(select(&place.join(directory), names)?);
            }
            flags.extend(library.includes.iter().map(|i| format!("-I{}", place.join(i).display())));
            flags.extend(library.flags.iter().map(|&flag| flag.to_owned()));
            if library.package == SQLITE.package {
                files.push(here.join("sqlite-vfs.c"));
            }
        }
        Ok(Sources { files, flags })
    }
}

/// C files of a directory by their names.
fn select(directory: &Path, names: &str) -> Result<Vec<PathBuf>> {
    let path = |name: &str| directory.join(format!("{name}.c"));
    if !names.is_empty() && !names.starts_with('-') {
        return Ok(names.split(' ').map(path).collect());
    }
    let left_out: Vec<PathBuf> = names.split([' ', '-']).map(path).collect();
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).at(directory.display())? {
        let file = entry.at(directory.display())?.path();
        if file.extension().is_some_and(|e| e == "c") && !left_out.contains(&file) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn unpack(builder: &Builder, work: &Path, package: &str) -> Result<PathBuf> {
    let place = work.join("sources").join(package);
    let done = place.join(".done");
    if done.exists() {
        return Ok(place);
    }
    let archive = builder.package_source(package)?;
    fs::create_dir_all(&place).at(place.display())?;
    let mut tar = Command::new("tar");
    run(tar.arg("xf").arg(&archive).args(["--strip-components=1", "-C"]).arg(&place))?;
    if package == SQLITE.package {
        // The C file is put together from parts.
        let steps = "./configure --disable-tcl --disable-readline && make sqlite3.c";
        run(Command::new("sh").args(["-ec", steps]).current_dir(&place))?;
    }
    fs::write(&done, "").at(done.display())?;
    Ok(place)
}

/// Runs a command to its end and returns what it prints.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().at(&name)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::new(format!("{}\n{text}{}", output.status, errors.trim_end())).at(name))
}
