//! The programs, and how each wants to be compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use linnet_build::{At as _, Builder, Error, Result, Sdk};

/// The archive in Debian's archive.
const ARCHIVE: &str = "gcc-12-12.2.0/gcc-12.2.0-dfsg.tar.xz";

/// The tests in that.
const FOLDER: &str = "gcc/testsuite/gcc.c-torture/execute";

/// Those of floating point lie apart.
const FOLDERS: [&str; 2] = ["", "ieee"];

/// C as GCC 12 takes it, which has older habits than clang 19.
const FLAGS: [&str; 8] = [
    "-std=gnu17",
    "-w",
    "-Wno-implicit-function-declaration",
    "-Wno-implicit-int",
    "-Wno-int-conversion",
    "-Wno-incompatible-function-pointer-types",
    "-Wno-return-mismatch",
    "-Wno-return-type",
];

/// Options of a test that say what its C means. The others choose passes of GCC.
const MEANING: [&str; 8] = [
    "-std=",
    "-fgnu89-inline",
    "-fwrapv",
    "-fno-strict-overflow",
    "-ffast-math",
    "-fno-common",
    "-finstrument-functions",
    "-finput-charset=",
];

#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    path: PathBuf,
}

/// All programs, sorted by name.
pub(crate) fn list(builder: &Builder) -> Result<Vec<Source>> {
    let root = builder.cache_path("suites").join("gcc-12.2.0");
    if !root.exists() {
        unpack(builder, &root)?;
    }
    let mut sources = Vec::new();
    for folder in FOLDERS {
        let directory = root.join(FOLDER).join(folder);
        for entry in fs::read_dir(&directory).at(directory.display())? {
            let path = entry.at(directory.display())?.path();
            if path.extension().is_some_and(|extension| extension == "c")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                let name = if folder.is_empty() { stem.into() } else { format!("{folder}-{stem}") };
                sources.push(Source { name, path });
            }
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

/// Takes the tests out of the archive within the archive.
fn unpack(builder: &Builder, root: &Path) -> Result<()> {
    let archive = builder.source_file("gcc")?;
    let work = root.with_file_name("gcc-unpacked");
    fs::create_dir_all(&work).at(work.display())?;
    let mut outer = Command::new("tar")
        .arg("xOf")
        .args([&archive, Path::new(ARCHIVE)])
        .stdout(Stdio::piped())
        .spawn()
        .at("tar")?;
    let mut inner = Command::new("tar");
    inner.args(["xJ", "--strip-components=1", "--wildcards", &format!("*/{FOLDER}/*")]);
    inner.current_dir(&work);
    if let Some(stream) = outer.stdout.take() {
        inner.stdin(stream);
    }
    let inner = inner.status().at("tar")?;
    let outer = outer.wait().at("tar")?;
    if !inner.success() || !outer.success() {
        return Err(Error::new("tar failed").at(archive.display()));
    }
    fs::rename(&work, root).at(root.display())
}

impl Source {
    /// Compiles it to `program`, or tells what is wrong.
    pub(crate) fn compile(
        &self,
        sdk: &Sdk,
        level: &[&str],
        program: &Path,
    ) -> std::result::Result<(), String> {
        let text = fs::read(&self.path).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&text);
        let work = program.with_extension("new");
        let mut compiler = sdk.compiler();
        compiler.args(FLAGS).args(level).args(options(&text));
        compiler.arg("-o").args([&work, &self.path]);
        let output = compiler.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
        }
        fs::rename(&work, program).map_err(|error| error.to_string())
    }
}

/// Options in comments such as `{ dg-options "-fwrapv" }`, without those for certain machines.
fn options(text: &str) -> Vec<&str> {
    let directives = text.lines().filter(|line| {
        (line.contains("dg-options") || line.contains("dg-additional-options"))
            && !line.contains("target")
    });
    directives
        .filter_map(|line| line.split('"').nth(1))
        .flat_map(str::split_whitespace)
        .filter(|option| MEANING.iter().any(|known| option.starts_with(known)))
        .collect()
}
