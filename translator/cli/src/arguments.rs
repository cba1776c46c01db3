//! The command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use linnet_build::{Builder, Error, Files, Result, System, Target, host};

/// Linux as one native executable: translates, builds and boots.
#[derive(Debug, Parser)]
#[command(name = "linnet", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Boot(Boot),
    Build(Build),
    Cc(Cc),
    #[command(name = "c++")]
    Cxx(Cxx),
    Sdk(Sdk),
    /// Run pkg-config for the libraries of packages
    ///
    /// It knows those of the packages that the variable LINNET_WITH names.
    PkgConfig(Tool),
    /// Run LLVM's `ar` on objects of the guest
    Ar(Tool),
    /// Run LLVM's `ranlib` on libraries of the guest
    Ranlib(Tool),
    /// Run LLVM's `nm` on objects of the guest
    Nm(Tool),
    /// Run LLVM's `strip` on programs of the guest
    Strip(Tool),
    /// Run LLVM's `readelf` on objects of the guest
    Readelf(Tool),
    /// Run LLVM's `objdump` on objects of the guest
    Objdump(Tool),
    Compile(Compile),
    Run(Run),
    Inspect(Inspect),
    /// List the packages that --with takes
    Packages,
    Pack(Pack),
    /// Translate programs for the machine that has started this
    #[command(hide = true)]
    Translator(Translator),
    /// Translate one program for the translator
    #[command(hide = true)]
    TranslateOne,
    /// Install missing packages and fetch the guest's sources
    ///
    /// The other commands do this too when something is missing.
    Setup,
}

/// Standard input is the machine's socket.
#[derive(Debug, Args)]
pub(crate) struct Translator {
    /// Where to keep what was translated
    #[arg(long, value_name = "DIR")]
    pub(crate) code_cache: Option<PathBuf>,
}

/// Boot Linux here, and build it first if need be
///
/// Without CMD the machine runs a login shell on the console; it stops when the shell ends.
#[derive(Debug, Args)]
pub(crate) struct Boot {
    // The boot binary checks the values: it has the same options.
    /// Number of vCPUs [default: one for each CPU of the host]
    #[arg(long, value_name = "N")]
    pub(crate) cpus: Option<OsString>,
    /// Guest memory, as in 512M or 2G [default: 1G]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<OsString>,
    /// A file or block device of this machine as the next disk, /dev/vda first; with ,ro nobody
    /// writes it
    #[arg(long, value_name = "FILE[,ro]")]
    pub(crate) disk: Vec<OsString>,
    /// What the network device is connected to: user (this machine's sockets), tap=NAME (an
    /// interface of it), vhost-user=SOCKET (another program), socket=PATH (other machines) or none
    #[arg(long, value_name = "NET", default_value = "user")]
    pub(crate) net: OsString,
    /// Lead a port of this machine, on loopback unless told, to one of the guest
    #[arg(long, value_name = "[ADDR:]PORT:PORT[/udp]")]
    pub(crate) publish: Vec<OsString>,
    /// A folder of this machine in the guest, at GUEST or at /mnt and its name; with ,ro the guest
    /// cannot change it
    #[arg(long, value_name = "HOST[:GUEST][,ro]")]
    pub(crate) share: Vec<OsString>,
    /// Where programs are kept that are translated when the guest starts them [default: in the cache]
    #[arg(long, value_name = "DIR")]
    pub(crate) code_cache: Option<PathBuf>,
    /// Start only programs that were there when the machine was built
    #[arg(long)]
    pub(crate) no_translator: bool,
    /// More arguments for the kernel
    #[arg(long, value_name = "ARGS")]
    pub(crate) append: Option<OsString>,
    #[command(flatten)]
    pub(crate) what: What,
    /// A program of the guest and its arguments, run instead of the shell; the exit status is the
    /// program's
    #[arg(last = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// Build boot binaries without running them
///
/// Prints their paths. An INPUT is a directory, a tar archive, a Debian package or an OCI image
/// layout with a root file system whose programs are WebAssembly; it takes the place of the usual
/// one with BusyBox.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// What takes the place of the usual root file system
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where to put the boot binary; with several targets, -ISA is added to the name
    /// [default: leave it in the cache]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// A new directory for an OCI image layout with an image for each target
    #[arg(long, value_name = "DIR")]
    pub(crate) oci: Option<PathBuf>,
    /// Instruction sets to build for, each by an option of its own or after a comma
    /// [default: this machine's]
    #[arg(
        long, value_name = "ISA", value_delimiter = ',',
        value_parser = Target::ALL.map(Target::name)
    )]
    target: Vec<String>,
    /// Guest memory unless the machine is started with another, as in 512M or 2G
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Kernel arguments that always apply
    #[arg(long, value_name = "ARGS")]
    pub(crate) append: Option<String>,
    /// Leave out the symbol table and the debugging information
    #[arg(long)]
    pub(crate) strip: bool,
    /// Compress all of it, which leaves no symbols; it unpacks itself at every start
    #[arg(long)]
    pub(crate) compress: bool,
    /// Make a machine that can be frozen to a file and resumed on any CPU; it takes four times the space
    #[arg(long)]
    pub(crate) frames: bool,
    /// Boot now, run this script of a shell, and make a machine that starts from there; as --frames
    #[arg(long, value_name = "SCRIPT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) frozen: Option<String>,
    #[command(flatten)]
    pub(crate) what: What,
}

impl Build {
    /// What to build for: what was asked for here, or else by the description, or else this machine.
    pub(crate) fn targets(&self, described: Vec<Target>) -> Result<Vec<Target>> {
        let mut targets: Vec<Target> =
            self.target.iter().filter_map(|name| Target::from_name(name)).collect();
        if targets.is_empty() {
            targets = described;
        }
        if targets.is_empty() {
            targets.push(host()?);
        }
        let mut once = Vec::new();
        targets.retain(|target| {
            let new = !once.contains(target);
            once.push(*target);
            new
        });
        Ok(targets)
    }
}

/// What a machine is made of.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// A file that describes the machine
    #[arg(long, value_name = "TOML")]
    system: Option<PathBuf>,
    /// The version of Linux [default: 6.12]
    #[arg(long, value_name = "VERSION")]
    kernel: Option<String>,
    /// More for the root file system: packages by name (see `linnet packages`), or paths of
    /// directories, tar archives, Debian packages, OCI image layouts and WebAssembly programs
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    with: Vec<OsString>,
}

impl What {
    /// The machine, and the instruction sets that its description names. `inputs` take the place of
    /// the usual root file system.
    pub(crate) fn system(
        &self,
        builder: &Builder,
        inputs: &[PathBuf],
    ) -> Result<(System, Vec<Target>)> {
        let (mut system, targets) = match &self.system {
            Some(path) => builder.system(path)?,
            None => (System::default(), Vec::new()),
        };
        if let Some(version) = &self.kernel {
            system.kernel = builder.kernel_version(version).map_err(Error::usage)?;
        }
        for input in inputs {
            system.base = false;
            system.files.merge(&Files::read(input)?)?;
        }
        for what in &self.with {
            system.files.merge(&builder.files(what)?)?;
        }
        Ok((system, targets))
    }
}

/// Put packages and files into one archive, for every CPU
///
/// Its programs are WebAssembly: `linnet build` makes boot binaries of it, for any CPU and on any machine.
#[derive(Debug, Args)]
pub(crate) struct Pack {
    /// What --with takes: packages by name and paths
    #[arg(value_name = "WHAT", value_delimiter = ',', required = true)]
    pub(crate) what: Vec<OsString>,
    /// Where to put the archive, a .tar or a .tar.gz
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Show what is in a module, a package, a boot binary or a snapshot
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A WebAssembly module, a boot binary, a snapshot, or anything that `linnet build` takes
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

/// Compile a C program for the guest
///
/// Runs clang with the guest's C library and headers. All arguments are clang's.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Cc {
    #[command(flatten)]
    pub(crate) rest: Rest,
}

/// Compile a C++ program for the guest
///
/// Runs clang++ with the guest's C++ library, which is built the first time. All arguments are
/// clang's.
#[derive(Debug, Args)]
#[command(name = "c++", disable_help_flag = true)]
pub(crate) struct Cxx {
    #[command(flatten)]
    pub(crate) rest: Rest,
}

/// Arguments that are another program's.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<OsString>,
}

/// All arguments are the tool's.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Tool {
    #[command(flatten)]
    pub(crate) rest: Rest,
}

/// Print where the compilers' configuration is, for build systems
///
/// The directory holds `linnet.cmake`, CMake's toolchain file. For configure scripts: eval "$(linnet sdk --env)"
#[derive(Debug, Args)]
pub(crate) struct Sdk {
    /// With the C++ library
    #[arg(long = "c++")]
    pub(crate) cxx: bool,
    /// Print commands for a shell instead: tools by the names that begin with wasm32-linnet-linux-musl- come into
    /// PATH, and answers for configure scripts into CONFIG_SITE
    #[arg(long, conflicts_with_all = ["cxx", "with"])]
    pub(crate) env: bool,
    /// With the headers and libraries of packages, besides those that the variable LINNET_WITH names
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
}

/// Translate a WebAssembly module to a native object file or executable
///
/// A module that imports from Linnet's kernel or runtime becomes part of a boot binary. Any other is for a
/// host program in C or Rust that embeds it. With --exe a module of WASI preview 1 becomes a program.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The module
    #[arg(value_name = "MODULE.wasm")]
    pub(crate) module: PathBuf,
    /// Where to put the object file, or the executable; a name that ends in .a or .so is a library's
    ///
    /// A library has the support library in it, so that a host needs nothing else.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Make a static executable of a module of WASI preview 1
    ///
    /// Its arguments are all the program's own. It sees no directory and no variable but those that
    /// are given here or, when it is started, by the same options in the variable LINNET_WASI.
    #[arg(long, conflicts_with_all = ["prefix", "header", "rust", "pkg_config", "cmake", "exports", "interruptible", "frames"])]
    pub(crate) exe: bool,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) target: TargetOption,
    /// Instructions that may be used: those of every CPU (`baseline`), all that this machine has
    /// (`native`), or a list of features such as avx2,bmi1 or zba,zbb
    #[arg(long, value_name = "FEATURES", default_value = "baseline")]
    pub(crate) cpu: String,
    /// Name of the module in the object's symbols; `kernel` makes it a kernel
    /// [default: for a host the file's name, for a boot binary one made of the contents]
    #[arg(long, value_name = "NAME", value_parser = prefix)]
    pub(crate) prefix: Option<String>,
    /// Write a C header for hosts of the module
    #[arg(long, value_name = "FILE.h")]
    pub(crate) header: Option<PathBuf>,
    /// Write a Rust module for hosts of the module
    #[arg(long, value_name = "FILE.rs")]
    pub(crate) rust: Option<PathBuf>,
    /// Write a file by which pkg-config finds the library
    #[arg(long, value_name = "FILE.pc")]
    pub(crate) pkg_config: Option<PathBuf>,
    /// Write a file by which CMake finds the library, as the target linnet::NAME
    #[arg(long, value_name = "FILE.cmake")]
    pub(crate) cmake: Option<PathBuf>,
    /// In the header and the Rust module, name these exports only [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) exports: Vec<String>,
    /// Let hosts interrupt the module's code and limit how long it runs; loops get a little slower
    #[arg(long)]
    pub(crate) interruptible: bool,
    /// How many functions to compile at a time [default: one for each CPU]
    // Each has its own stack and memory.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Add what native frames need to be captured as data and rebuilt
    #[arg(long)]
    pub(crate) frames: bool,
    /// Make arithmetic give the same NaN on every CPU
    #[arg(long)]
    pub(crate) canonical_nans: bool,
}

/// What a program of WASI sees of its host. The program checks the values: it has the same options.
#[derive(Debug, Args)]
pub(crate) struct World {
    /// A directory that the program may use with all that is below it, perhaps by another name
    #[arg(long, value_name = "HOST[::GUEST]")]
    dir: Vec<OsString>,
    /// A variable of the program's environment; without a value the one that it has at the start
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<OsString>,
    /// Let the program see all variables
    #[arg(long)]
    inherit_env: bool,
    /// Call an exported function with the arguments as numbers, and print its results
    #[arg(long, value_name = "EXPORT")]
    invoke: Option<OsString>,
}

impl World {
    /// The options as the program takes them.
    pub(crate) fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        let lists = [
            ("--dir=", &self.dir[..]),
            ("--env=", &self.env),
            ("--invoke=", self.invoke.as_slice()),
        ];
        for (name, values) in lists {
            words.extend(values.iter().map(|value| option(name, value)));
        }
        if self.inherit_env {
            words.push("--inherit-env".into());
        }
        words
    }
}

impl World {
    /// The directories, each with its name for the program if that is another one.
    pub(crate) fn directories(&self) -> impl Iterator<Item = (PathBuf, Option<PathBuf>)> {
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        self.dir.iter().map(move |dir| {
            let dir = dir.as_bytes();
            let at = dir.windows(2).position(|two| two == b"::");
            at.map_or_else(
                || (path(dir), None),
                |at| (path(&dir[..at]), Some(path(&dir[at + 2..]))),
            )
        })
    }

    /// The variables as NAME=VALUE. One without a value is there anyway.
    pub(crate) fn variables(&self) -> impl Iterator<Item = OsString> {
        self.env.iter().filter(|word| word.as_bytes().contains(&b'=')).cloned()
    }
}

/// An option and its value in one word.
fn option(name: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(name);
    word.push(value);
    word
}

/// Run a program of WASI preview 1, or one of Linux in a machine
///
/// A program that was translated before starts at once. The status is the program's. A program of Linux has the
/// directory, the variables and the streams of this command; of the options, --dir, --env and --memory are for it.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) world: World,
    /// Give the program the sockets that LISTEN_FDS counts, from descriptor 3 on
    #[arg(long)]
    listenfd: bool,
    /// Most time that the program may run, as in 1.5, 10s, 500ms or 2m
    #[arg(long, value_name = "TIME")]
    timeout: Option<OsString>,
    /// Most memory that the program may have, as in 64M or 1G
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<OsString>,
    /// The program
    #[arg(value_name = "MODULE.wasm")]
    pub(crate) module: PathBuf,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<OsString>,
}

impl Run {
    /// An option that was given and that a machine has no use for.
    pub(crate) fn only_for_wasi(&self) -> Option<&'static str> {
        let given = [
            (self.world.invoke.is_some(), "--invoke"),
            (self.timeout.is_some(), "--timeout"),
            (self.listenfd, "--listenfd"),
        ];
        given.into_iter().find_map(|(is_given, option)| is_given.then_some(option))
    }

    /// The options as the program takes them.
    pub(crate) fn words(&self) -> Vec<OsString> {
        let mut words = self.world.words();
        let values = [("--timeout=", &self.timeout), ("--memory=", &self.memory)];
        for (name, value) in values {
            words.extend(value.as_ref().map(|value| option(name, value)));
        }
        if self.listenfd {
            words.push("--listenfd".into());
        }
        words
    }
}

#[derive(Debug, Args)]
pub(crate) struct TargetOption {
    /// Instruction set to translate to [default: this machine's]
    #[arg(long, value_name = "ISA", value_parser = Target::ALL.map(Target::name))]
    target: Option<String>,
}

impl TargetOption {
    pub(crate) fn get(&self) -> Result<Target> {
        match self.target.as_deref().and_then(Target::from_name) {
            Some(target) => Ok(target),
            None => host(),
        }
    }
}

fn prefix(text: &str) -> Result<String, &'static str> {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if text.is_empty() || !text.chars().all(fits) {
        return Err("only letters, digits and _ can be part of a symbol");
    }
    // Names in the header and in the Rust module begin with it.
    if text.starts_with(|character: char| character.is_ascii_digit()) {
        return Err("a name does not begin with a digit");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
