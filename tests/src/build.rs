//! `linnet build`: what it makes, and what it leaves behind when it is stopped.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use linnet_build::{At as _, Error, Result, Target};

use crate::machine::{self, Ended};
use crate::pty::Terminal;
use crate::{Test, builder, cli, vm};

const LIMIT: Duration = Duration::from_secs(120);

/// Prints what it was started with.
const PROGRAM: &str = r#"
#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) printf("<%s>", argv[i]);
	puts(STAMP);
}
"#;

pub(crate) fn tests() -> Vec<Test> {
    let test = |name: &str, run: fn(&Place) -> Result<()>| -> Test {
        let place = name.to_owned();
        let run = move || Ok(Place::new(&place).and_then(|place| run(&place))?);
        (format!("build::{name}"), Box::new(run))
    };
    vec![
        test("a-description-makes-a-system", description),
        test("an-archive-replaces-the-usual-system", archive),
        test("odd-archives-mean-what-gnu-tar-says", odd_archives),
        test("an-image-layout-holds-the-boot-binaries", image_layout),
        test("tools-for-images-and-linnet-read-each-other", images_of_others),
        test("a-full-disk-leaves-no-file", full_disk),
        test("a-killed-build-leaves-no-file-and-can-be-repeated", killed),
        test("a-terminal-shows-a-bar", bar),
        test("a-stripped-system-is-smaller-and-works", stripped),
        test("a-compressed-system-is-small-and-works-for-every-isa", compressed),
        test("a-system-is-the-same-file-twice-for-every-isa", same_twice),
        test("another-host-builds-the-same-files-for-every-isa", same_elsewhere),
    ]
}

/// An empty directory to run commands in.
pub(crate) struct Place {
    pub(crate) directory: PathBuf,
    pub(crate) linnet: PathBuf,
}

impl Place {
    pub(crate) fn new(name: &str) -> Result<Self> {
        // Everything else that a build needs.
        vm(linnet_build::host()?)?;
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("build").join(name);
        // It may be that of an earlier run.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).at(directory.display())?;
        Ok(Self { directory, linnet: cli::linnet()? })
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).at(parent.display())?;
        }
        fs::write(&path, contents).at(path.display())
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = match program {
            "linnet" => self.linnet.clone(),
            name if name.starts_with("./") => self.directory.join(name),
            name => name.into(),
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.directory);
        command
    }

    /// What a command prints that must end well.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let Ended { status, output } =
            machine::run(&mut self.command(program, arguments), &[], LIMIT)?;
        match status {
            Some(status) if status.success() => Ok(output),
            _ => Err(Error::new(format!("{status:?}\n{output}")).at(arguments.join(" "))),
        }
    }

    /// Compiles [`PROGRAM`], which prints `stamp` at its end, to the file `name`.
    fn compile(&self, name: &str, stamp: &str) -> Result<()> {
        self.write("program.c", PROGRAM)?;
        if let Some(parent) = self.directory.join(name).parent() {
            fs::create_dir_all(parent).at(parent.display())?;
        }
        let stamp = format!("-DSTAMP=\"{stamp}\"");
        self.run("linnet", &["cc", "-O1", &stamp, "-o", name, "program.c"]).map(drop)
    }

    /// A cache that has only what is built from C.
    fn second_cache(&self) -> Result<PathBuf> {
        let printed = self.run("linnet", &["build"])?;
        let cache = PathBuf::from(printed.lines().last().unwrap_or_default());
        let cache = cache.ancestors().nth(4).ok_or_else(|| Error::new("no cache"))?;
        let other = self.directory.join("cache");
        fs::create_dir_all(other.join("results")).at(other.display())?;
        for part in ["results/kernel", "results/headers", "results/musl", "results/busybox"]
            .into_iter()
            .chain(["results/init", "sources", "apt"])
        {
            symlink(cache.join(part), other.join(part)).at(part)?;
        }
        Ok(other)
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.directory).at(self.directory.display())?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }
}

pub(crate) fn expect(found: &str, wanted: &str) -> Result<()> {
    match found == wanted {
        true => Ok(()),
        false => Err(Error::new(format!("expected:\n{wanted}\nfound:\n{found}"))),
    }
}

fn expect_in(found: &str, wanted: &str) -> Result<()> {
    match found.contains(wanted) {
        true => Ok(()),
        false => Err(Error::new(format!("expected somewhere:\n{wanted}\nfound:\n{found}"))),
    }
}

fn description(place: &Place) -> Result<()> {
    place.compile("root/usr/bin/program", "end")?;
    place.write("root/etc/motd", "hello\n")?;
    place.write(
        "linnet.toml",
        "packages = [\"./root\"]\n\
         command = [\"sh\", \"-c\", \"cat /etc/motd; grep -ow quiet /proc/cmdline; program 1 2\"]\n\
         kernel-arguments = \"quiet\"\n\
         memory = \"64M\"\n",
    )?;
    place.run("linnet", &["build", "--system", "linnet.toml", "-o", "vm"])?;
    expect(&place.run("./vm", &[])?, "hello\nquiet\n<1><2>end\n")?;
    // What is asked for at the start comes first.
    let memory = place.run("./vm", &["--", "free", "-m"])?;
    let total =
        memory.lines().find_map(|line| line.strip_prefix("Mem:")?.split_whitespace().next());
    let total: u32 = total.unwrap_or_default().parse().at(memory)?;
    if !(40..64).contains(&total) {
        return Err(Error::new(format!("the guest has {total} MiB")));
    }
    let report = place.run("linnet", &["inspect", "vm"])?;
    expect_in(&report, "/usr/bin/program\n")?;
    expect_in(&report, "kernel      Linux 6.")
}

fn archive(place: &Place) -> Result<()> {
    place.compile("root/bin/program", "end")?;
    place.run("tar", &["-C", "root", "-czf", "root.tar.gz", "."])?;
    place.run("linnet", &["build", "root.tar.gz", "-o", "vm"])?;
    expect(&place.run("./vm", &["--", "/bin/program", "x"])?, "<x>end\n")?;
    let report = place.run("linnet", &["inspect", "vm"])?;
    expect_in(&report, "programs    2\n")
}

/// What the guest sees of files that archives have in odd forms.
fn odd_archives(place: &Place) -> Result<()> {
    const LOOK: &str = r#"
cd /o || exit 1
stat -c '%n %a %h %u:%g' one two setuid sticky
stat -c '%n %Y' one sticky link .
cat one 'TRAILER!!!' z
echo more > two && cat one
printf '%s\n' caf* | od -An -tx1
readlink link | od -An -tx1
stat -c %s hole; cksum < hole
cat /TRAILER!!! /z
"#;
    let write = |name: &str, contents: &[u8]| place.write(&format!("root/o/{name}"), contents);
    for name in ["one", "setuid", "TRAILER!!!", "z", "../TRAILER!!!", "../z"] {
        write(name, format!("{name}\n").as_bytes())?;
    }
    let at = |name: &[u8]| place.directory.join("root/o").join(OsStr::from_bytes(name));
    for name in [b"caf\xe8".as_slice(), b"caf\xe9"] {
        fs::write(at(name), "x").at("a name that is not UTF-8")?;
    }
    fs::hard_link(at(b"one"), at(b"two")).at("two")?;
    symlink(OsStr::from_bytes(b"/o\xe9"), at(b"link")).at("link")?;
    fs::create_dir_all(at(b"sticky")).at("sticky")?;
    let hole = fs::File::create(at(b"hole")).at("hole")?;
    hole.set_len(1_000_000).at("hole")?;
    for (name, mode) in [("one", 0o640), ("setuid", 0o4755), ("sticky", 0o1777), ("hole", 0o600)] {
        fs::set_permissions(at(name.as_bytes()), fs::Permissions::from_mode(mode)).at(name)?;
    }
    let wanted = "one 640 2 3000000:12\ntwo 640 2 3000000:12\n\
        setuid 4755 1 3000000:12\nsticky 1777 2 3000000:12\n\
        one 1700000000\nsticky 1700000000\nlink 1700000000\n. 1700000000\n\
        one\nTRAILER!!!\nz\nmore\n \
        63 61 66 e8 0a 63 61 66 e9 0a\n 2f 6f e9 0a\n1000000\n";
    for form in ["gnu", "posix"] {
        let name = format!("{form}.tar.gz");
        let form = format!("--format={form}");
        let owner = ["--owner=:3000000", "--group=:12", "--mtime=@1700000000"];
        let mut tar = vec!["-C", "root", "-S", &form];
        tar.extend(owner);
        tar.extend(["-czf", &name, "."]);
        place.run("tar", &tar)?;
        place.run("linnet", &["build", "--with", &format!("./{name}"), "-o", "vm"])?;
        let found = place.run("./vm", &["--", "sh", "-c", LOOK])?;
        expect_in(&found, wanted)?;
        expect_in(&found, &place.run("sh", &["-c", "cksum < root/o/hole"])?)?;
        expect_in(&found, "../TRAILER!!!\n../z\n")?;
    }
    // What is packed is the same again, and so is the directory but for owners and times.
    place.run("linnet", &["pack", "./gnu.tar.gz", "-o", "packed.tar"])?;
    place.run("linnet", &["pack", "./posix.tar.gz", "-o", "again.tar"])?;
    place.run("linnet", &["pack", "./packed.tar", "-o", "third.tar"])?;
    expect(&place.run("cmp", &["packed.tar", "again.tar"])?, "")?;
    expect(&place.run("cmp", &["packed.tar", "third.tar"])?, "")?;
    place.run("tar", &["-df", "packed.tar", "-C", "root"]).map_or_else(
        |error| match error.message().lines().all(|line| !line.contains("Contents differ")) {
            true => Ok(()),
            false => Err(error),
        },
        |_| Ok(()),
    )?;
    place.run("linnet", &["build", "--with", "./root", "-o", "vm"])?;
    let found = place.run("./vm", &["--", "sh", "-c", LOOK])?;
    expect_in(&found, "one 640 2 0:0\ntwo 640 2 0:0\n")?;
    expect_in(&found, "one 0\nsticky 0\nlink 0\n. 0\n")
}

/// Tools that others unpack images with find what is in ours.
fn images_of_others(place: &Place) -> Result<()> {
    let target = linnet_build::host()?.name();
    place.run("linnet", &["build", "--target", target, "--oci", "image", "-o", "vm"])?;
    for tool in ["skopeo", "umoci"] {
        builder()?.tool(tool, tool)?;
    }
    place.run("skopeo", &["inspect", "--raw", "oci:image:latest"])?;
    place.run(
        "skopeo",
        &["copy", "--insecure-policy", "oci:image:latest", "oci-archive:image.tar"],
    )?;
    place.run("umoci", &["raw", "unpack", "--rootless", "--image", "image:latest", "unpacked"])?;
    expect(&place.run("cmp", &["unpacked/linnet", "vm"])?, "")?;
    // And we find what is in theirs: two layers, with a whiteout.
    place.run("umoci", &["init", "--layout", "theirs"])?;
    place.run("umoci", &["new", "--image", "theirs:latest"])?;
    place.write("one/etc/old", "old\n")?;
    place.write("one/etc/kept", "kept\n")?;
    place.write("two/etc/new", "new\n")?;
    let insert = ["insert", "--rootless", "--image", "theirs:latest"];
    let run = |more: &[&str]| place.run("umoci", &[&insert, more].concat());
    run(&["one/etc", "/etc"])?;
    run(&["two/etc/new", "/etc/new"])?;
    run(&["--whiteout", "/etc/old"])?;
    place.run(
        "skopeo",
        &["copy", "--insecure-policy", "oci:theirs:latest", "oci-archive:theirs.tar"],
    )?;
    place.run(
        "skopeo",
        &["copy", "--insecure-policy", "oci:theirs:latest", "docker-archive:docker.tar:x:latest"],
    )?;
    for image in ["./theirs", "./theirs.tar"] {
        place.run("linnet", &["build", "--with", image, "-o", "vm"])?;
        let found =
            place.run("./vm", &["--", "sh", "-c", "cd /etc; cat kept new; ls | grep -c old"]);
        let found = found.err().map(|error| error.message().to_owned()).unwrap_or_default();
        expect_in(&found, "kept\nnew\n0\n")?;
    }
    // Theirs is for the CPU of this machine, and says so where the form has no other place for it.
    let error = place.run("linnet", &["build", "--with", "./docker.tar", "-o", "vm"]).err();
    expect_in(
        error.as_ref().map_or("no error", Error::message),
        "error: ./docker.tar: no image for the guest in the archive",
    )
}

fn image_layout(place: &Place) -> Result<()> {
    let target = linnet_build::host()?.name();
    place.run("linnet", &["build", "--target", target, "--oci", "image", "-o", "vm"])?;
    let read = |path: &Path| fs::read_to_string(path).at(path.display());
    let blobs = place.directory.join("image/blobs/sha256");
    let index = read(&place.directory.join("image/index.json"))?;
    let manifest = read(&blobs.join(digest_after(&index, "\"digest\":")?))?;
    let config = read(&blobs.join(digest_after(&manifest, "\"config\":")?))?;
    expect_in(&config, "\"Entrypoint\":[\"/linnet\"]")?;
    let layer = blobs.join(digest_after(&manifest, "\"layers\":")?);
    place.run("tar", &["-xzf", &layer.display().to_string()])?;
    expect(&place.run("./linnet", &["--", "echo", "here"])?, "here\n")?;
    expect(&place.run("cmp", &["linnet", "vm"])?, "")?;
    // Engines look for a name, and for their CPU behind it if there are several.
    let targets = "x86_64,aarch64,riscv64";
    place.run("linnet", &["build", "--target", targets, "--oci", "images"])?;
    let images = read(&place.directory.join("images/index.json"))?;
    for index in [&index, &images] {
        expect_in(index, "\"org.opencontainers.image.ref.name\":\"latest\"")?;
        expect(&index.matches("\"digest\"").count().to_string(), "1")?;
    }
    let several = place.directory.join("images/blobs/sha256");
    let several = read(&several.join(digest_after(&images, "\"digest\":")?))?;
    for architecture in ["amd64", "arm64", "riscv64"] {
        expect_in(&several, &format!("\"architecture\":\"{architecture}\""))?;
    }
    // A layout is never mixed with what is there.
    let again = place.run("linnet", &["build", "--oci", "image"]).err();
    expect_in(
        again.as_ref().map_or("no error", Error::message),
        "image: the directory is not empty",
    )
}

/// The first digest behind `key`.
fn digest_after<'a>(text: &'a str, key: &str) -> Result<&'a str> {
    const PREFIX: &str = "sha256:";
    let rest = text.split_once(key).map(|(_, rest)| rest);
    let digest = rest.and_then(|rest| rest.split_once(PREFIX)).map(|(_, rest)| rest);
    digest.and_then(|rest| rest.get(..64)).ok_or_else(|| Error::new("no digest").at(text))
}

/// A limit for the size of files does what a full disk does.
fn full_disk(place: &Place) -> Result<()> {
    let linnet = place.linnet.display().to_string();
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" build -o vm";
    let ended = machine::run(&mut place.command("sh", &["-c", script, &linnet]), &[], LIMIT)?;
    if ended.status.and_then(|status| status.code()) != Some(1) {
        return Err(Error::new(format!("{:?}\n{}", ended.status, ended.output)));
    }
    expect_in(&ended.output, "error: vm: File too large")?;
    expect(&place.names()?.join(" "), "")
}

fn killed(place: &Place) -> Result<()> {
    // A program that nobody has translated before.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).at("clock")?.as_nanos().to_string();
    place.compile("program.wasm", &now)?;
    let arguments = ["build", "--with", "./program.wasm", "-o", "vm"];
    for milliseconds in [5, 20, 60, 150, 400] {
        let mut child = place.command("linnet", &arguments).spawn().at("linnet")?;
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().at("kill")?;
        child.wait().at("wait")?;
        // A file that is being written has no name.
        let names = place.names()?.join(" ");
        if !["program.c program.wasm", "program.c program.wasm vm"].contains(&names.as_str()) {
            return Err(Error::new(format!("after {milliseconds} ms there are {names}")));
        }
        if names.ends_with(" vm") {
            place.run("./vm", &["--", "program"])?;
        }
    }
    place.run("linnet", &arguments)?;
    expect(&place.run("./vm", &["--", "program", "a"])?, &format!("<a>{now}\n"))
}

fn bar(place: &Place) -> Result<()> {
    // A program that nobody has translated before.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).at("clock")?.as_nanos().to_string();
    place.compile("program.wasm", &now)?;
    let path = |name: &str| place.directory.join(name).display().to_string();
    let arguments =
        ["build", "--with", &path("program.wasm"), "-o", &path("vm")].map(str::to_owned);
    let mut terminal = Terminal::start(linnet_build::host()?, &place.linnet, &arguments)?;
    terminal.expect("] ", LIMIT)?;
    terminal.expect(" % ", LIMIT)?;
    match terminal.end(LIMIT)? {
        Some(0) => Ok(()),
        status => Err(Error::new(format!("{status:?}"))),
    }
}

fn compressed(place: &Place) -> Result<()> {
    const MOST: u64 = 12_000_000;
    let mut build = vec!["build", "--compress", "-o", "small"];
    for target in Target::ALL {
        build.extend(["--target", target.name()]);
    }
    place.run("linnet", &build)?;
    for target in Target::ALL {
        let path = place.directory.join(format!("small-{}", target.name()));
        let size = fs::metadata(&path).at(path.display())?.len();
        if size > MOST {
            return Err(Error::new(format!("{size} bytes")).at(path.display()));
        }
        let mut command = machine::command(target, &path)?;
        let ended = machine::run(command.args(["--", "echo", "works"]), &[], LIMIT)?;
        expect_in(&ended.output, "works\n")?;
        expect_in(&place.run("linnet", &["inspect", &path.display().to_string()])?, "Linux 6.")?;

        let mut bytes = fs::read(&path).at(path.display())?;
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].fill(0);
        fs::write(&path, bytes).at(path.display())?;
        let ended = machine::run(&mut machine::command(target, &path)?, &[], LIMIT)?;
        expect(&ended.output, "error: the boot binary is damaged\n")?;
        if ended.status.and_then(|status| status.code()) != Some(71) {
            return Err(Error::new(format!("{:?}", ended.status)));
        }
    }
    Ok(())
}

fn stripped(place: &Place) -> Result<()> {
    place.run("linnet", &["build", "-o", "usual"])?;
    place.run("linnet", &["build", "--strip", "-o", "small"])?;
    let size = |name: &str| {
        let path = place.directory.join(name);
        fs::metadata(&path).map(|metadata| metadata.len()).at(path.display())
    };
    let (usual, small) = (size("usual")?, size("small")?);
    // Symbols are 2 MB, what describes frames to a debugger is 1 MB.
    if small + (9 << 18) > usual {
        return Err(Error::new(format!("{small} bytes, not much less than {usual}")));
    }
    expect(&place.run("./small", &["--", "echo", "works"])?, "works\n")
}

/// What is not built from C is made again.
fn same_twice(place: &Place) -> Result<()> {
    let cache = place.second_cache()?;
    same(place, |arguments| {
        let mut command = place.command("linnet", arguments);
        command.env("LINNET_CACHE", &cache);
        machine::run(&mut command, &[], LIMIT)
    })
}

/// Linnet itself, compiled for another CPU, makes it again. The runtime is compiled by this host's Rust.
fn same_elsewhere(place: &Place) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(1800);
    let isa = match linnet_build::host()? {
        Target::Aarch64 => Target::X86_64,
        _ => Target::Aarch64,
    };
    let triple = format!("{}-unknown-linux-musl", isa.name());
    let target_directory = place.directory.with_file_name("another-host");
    let run = |command: &mut Command| match machine::run(command, &[], LIMIT)? {
        Ended { status: Some(status), .. } if status.success() => Ok(()),
        Ended { status, output } => Err(Error::new(format!("{status:?}\n{output}"))),
    };
    builder()?.rust_library(&triple)?;
    // A musl target brings its C library, so that no compiler for it is needed.
    let variable = triple.replace('-', "_").to_uppercase();
    run(Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", "linnet", "--target", &triple])
        .arg("--target-dir")
        .arg(&target_directory)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env(format!("CARGO_TARGET_{variable}_LINKER"), "rust-lld")
        .env(format!("CARGO_TARGET_{variable}_RUSTFLAGS"), "-Clink-self-contained=yes"))?;
    let linnet = target_directory.join(&triple).join("release/linnet");
    let cache = place.second_cache()?;
    same(place, |arguments| {
        let mut command = machine::command(isa, &linnet)?;
        command.args(arguments).current_dir(&place.directory).env("LINNET_CACHE", &cache);
        machine::run(&mut command, &[], LIMIT)
    })
}

/// Whether `again`, which is given arguments of `linnet`, builds the same files for every target, and
/// does so by translating.
fn same(place: &Place, again: impl Fn(&[&str]) -> Result<Ended>) -> Result<()> {
    for target in Target::ALL.map(Target::name) {
        place.run("linnet", &["build", "--target", target, "-o", target])?;
        let copy = format!("{target}-again");
        let ended = again(&["build", "--target", target, "-o", &copy])?;
        if !ended.status.is_some_and(|status| status.success()) {
            return Err(Error::new(ended.output));
        }
        expect_in(&ended.output, "translate")?;
        expect(&place.run("cmp", &[target, &copy])?, "")?;
    }
    Ok(())
}
