//! The parts of the guest that are built from C: what each is made of, and in which order.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use linnet_codegen::Target;

use crate::builder::Builder;
use crate::digest::{Digest, Key, walk};
use crate::error::{At as _, Error, Result};
use crate::parallel::{self, join};
use crate::sources::Source;
use crate::{script, tools};

/// A part of the guest. `sysroot/<script> OUT WORK` builds it.
pub(crate) struct Component<'a> {
    pub(crate) name: &'a str,
    pub(crate) script: &'a str,
    /// Files and directories below `sysroot` that decide the result, besides the script.
    pub(crate) inputs: &'a [&'a str],
    /// The archive that the script gets as `SOURCE`.
    pub(crate) source: Origin<'a>,
    /// A directory for `WORK` that stays, if the script knows how to go on from an earlier run.
    pub(crate) tree: Option<&'a str>,
}

/// Where an upstream source is described.
pub(crate) enum Origin<'a> {
    /// There is none.
    Nowhere,
    /// In `sources.toml`, by name.
    Listed(&'a str),
    Given(&'a Source),
}

/// What the names of Linux in `sources.toml` begin with; the version follows.
const LINUX: &str = "linux-";

/// The version that a machine gets unless another is asked for. Programs are compiled with the
/// headers of this one for all of them: Linux keeps what programs rely on.
const LINUX_DEFAULT: &str = "linux-6.12";

/// A kernel that is built otherwise than the usual one.
#[derive(Debug, PartialEq, Eq)]
struct Variant {
    /// Behind the version.
    suffix: &'static str,
    component: &'static str,
    script: &'static str,
}

const USUAL: Variant = Variant { suffix: "", component: "kernel", script: "linux/build.sh" };

/// The kernel that tests itself when it boots and checks itself all the time, which makes it slow.
const DEBUG: Variant =
    Variant { suffix: "-debug", component: "kernel-debug", script: "linux/build-debug.sh" };

const VARIANTS: [&Variant; 3] = [
    &DEBUG,
    &Variant { suffix: "-4k", component: "kernel-4k", script: "linux/build-4k.sh" },
    &Variant { suffix: "-64k", component: "kernel-64k", script: "linux/build-64k.sh" },
];

/// A version of Linux that can be built, as in `6.12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelVersion {
    /// In `sources.toml`.
    source: String,
    variant: &'static Variant,
}

impl Default for KernelVersion {
    fn default() -> Self {
        Self { source: LINUX_DEFAULT.to_owned(), variant: &USUAL }
    }
}

impl KernelVersion {
    /// With the checks and tests of itself.
    pub fn debug(self) -> Self {
        Self { variant: &DEBUG, ..self }
    }

    pub fn is_debug(&self) -> bool {
        *self.variant == DEBUG
    }
}

const HEADERS: Component<'static> = Component {
    name: "headers",
    script: "linux/headers.sh",
    inputs: &[
        "linux/tree.sh",
        "linux/patches",
        "linux/files/arch/wasm/include/uapi",
        "linux/files/arch/wasm/kernel/Makefile.syscalls",
    ],
    source: Origin::Listed(LINUX_DEFAULT),
    tree: Some(LINUX_DEFAULT),
};

const MUSL: Component<'static> = Component {
    name: "musl",
    script: "musl/build.sh",
    inputs: &["musl", "sdk"],
    source: Origin::Listed("musl"),
    tree: None,
};

const LIBCXX: Component<'static> = Component {
    name: "libcxx",
    script: "libcxx/build.sh",
    inputs: &["libcxx"],
    source: Origin::Listed("llvm"),
    tree: None,
};

const BUSYBOX: Component<'static> = Component {
    name: "busybox",
    script: "busybox/build.sh",
    inputs: &["busybox"],
    source: Origin::Listed("busybox"),
    tree: None,
};

const INIT: Component<'static> = Component {
    name: "init",
    script: "init/build.sh",
    inputs: &["init"],
    source: Origin::Nowhere,
    tree: None,
};

/// A finished part.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    /// Of the contents, so that what is made from a part that was built again, but came out the
    /// same, is not built again.
    pub(crate) digest: Digest,
}

#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) kernel: Built,
    pub(crate) busybox: Built,
    pub(crate) init: Built,
}

impl Guest {
    pub(crate) fn kernel_module(&self) -> PathBuf {
        self.kernel.path.join("vmlinux.wasm")
    }
}

/// Compiler, library and headers for programs of the guest.
#[derive(Debug)]
pub struct Sdk {
    pub(crate) built: Built,
}

impl Sdk {
    /// Stands for all that decides what the compiler makes of a source.
    pub fn digest(&self) -> Digest {
        tools::with_compilers(Key::new("sdk")).with_digest("sdk", self.built.digest).finish()
    }

    /// The C compiler, ready for arguments.
    pub fn compiler(&self) -> Command {
        self.clang("clang-19", "linnet.cfg")
    }

    /// The C++ compiler, ready for arguments. Only [`Builder::sdk_with_cxx`] has what it needs.
    pub fn cxx_compiler(&self) -> Command {
        self.clang("clang++-19", "linnet++.cfg")
    }

    /// Where the compilers' configuration and CMake's toolchain file are.
    pub fn directory(&self) -> PathBuf {
        self.built.path.join("sdk")
    }

    /// pkg-config for the libraries of the packages that the SDK was made with.
    pub(crate) fn pkg_config(&self) -> Command {
        let mut command = linnet_process::command("pkg-config");
        command
            .env("PKG_CONFIG_LIBDIR", self.built.path.join("sysroot/lib/pkgconfig"))
            .env_remove("PKG_CONFIG_PATH")
            .env_remove("PKG_CONFIG_SYSROOT_DIR");
        command
    }

    fn clang(&self, program: &str, configuration: &str) -> Command {
        let mut option = OsString::from("--config=");
        option.push(self.directory().join(configuration));
        let mut command = linnet_process::command(program);
        command.arg(option);
        command
    }
}

/// The LLVM tool that does for the guest what `name` does for this machine.
pub fn binary_tool(name: &str) -> Command {
    linnet_process::command(format!("llvm-{name}-19"))
}

impl Builder {
    /// The version of Linux with this name, as in `6.12` or `6.12-debug`.
    pub fn kernel_version(&self, name: &str) -> Result<KernelVersion> {
        let (version, variant) = VARIANTS
            .into_iter()
            .find_map(|variant| Some((name.strip_suffix(variant.suffix)?, variant)))
            .unwrap_or((name, &USUAL));
        if self.sources.names_after(LINUX).any(|known| known == version) {
            return Ok(KernelVersion { source: format!("{LINUX}{version}"), variant });
        }
        let known: Vec<&str> = self.sources.names_after(LINUX).collect();
        Err(Error::new(format!("unknown kernel version {name:?}"))
            .hint(format!("there are {}", known.join(", "))))
    }

    /// Builds all parts. The kernel, which takes longest, is built beside the others.
    pub(crate) fn guest(&self, kernel: &KernelVersion) -> Result<Guest> {
        // Maybe in the same tree as the kernel, so not beside it.
        self.component(&HEADERS, &[])?;
        let tree = format!("{}{}", kernel.source, kernel.variant.suffix);
        let kernel = Component {
            name: kernel.variant.component,
            script: kernel.variant.script,
            inputs: &["linux"],
            source: Origin::Listed(&kernel.source),
            tree: Some(&tree),
        };
        thread::scope(|scope| {
            let kernel = scope.spawn(|| self.component(&kernel, &[]));
            let userland = (|| {
                let sdk = self.sdk()?;
                let with_sdk = [("SDK", &sdk.built)];
                let busybox = self.component(&BUSYBOX, &with_sdk)?;
                Ok((busybox, self.component(&INIT, &with_sdk)?))
            })();
            let kernel = join(kernel);
            let (busybox, init) = userland?;
            Ok(Guest { kernel: kernel?, busybox, init })
        })
    }

    /// The WebAssembly module of the usual kernel.
    pub fn kernel_module(&self) -> Result<PathBuf> {
        Ok(self.guest(&KernelVersion::default())?.kernel_module())
    }

    pub fn sdk(&self) -> Result<Sdk> {
        let headers = self.component(&HEADERS, &[])?;
        Ok(Sdk { built: self.component(&MUSL, &[("HEADERS", &headers)])? })
    }

    /// The SDK with the C++ library. Its source is large, and fetched the first time only.
    pub fn sdk_with_cxx(&self) -> Result<Sdk> {
        self.tool("cmake", "cmake")?;
        let sdk = self.sdk()?;
        Ok(Sdk { built: self.component(&LIBCXX, &[("SDK", &sdk.built)])? })
    }

    /// Compiles C sources, each a program of its own, and translates them, some at a time. One that
    /// fails does not stop the others.
    pub fn guest_programs<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a Path>,
        target: Target,
    ) -> Result<Vec<Result<PathBuf>>> {
        let sdk = self.sdk()?;
        let step = self.progress.step("programs");
        let compile = |source: &Path| {
            let wasm = self.guest_program(&sdk, source)?;
            step.line(&source.display().to_string());
            self.translate_program(&wasm, target).map(|()| wasm)
        };
        let sources: Vec<&Path> = sources.into_iter().collect();
        let programs = parallel::map(self.jobs, &sources, |source| compile(source));
        step.done();
        Ok(programs)
    }

    /// Compiles one C source that includes no other file than headers of its own directory.
    fn guest_program(&self, sdk: &Sdk, source: &Path) -> Result<PathBuf> {
        let mut key = Key::new("program").with_digest("sdk", sdk.digest());
        key = key.with_digest("source", self.index.file(source)?);
        let directory = source.parent().unwrap_or(Path::new("."));
        for header in walk(directory)? {
            if header.extension().is_some_and(|extension| extension == "h") {
                key = key.with_digest("header", self.index.file(&directory.join(header))?);
            }
        }
        let result =
            self.cache.get("program", key.with("flags", FLAGS.join(" ")).finish(), |out, _| {
                let mut compiler = sdk.compiler();
                compiler.args(FLAGS).arg("-o").arg(out.join(PROGRAM)).arg(source);
                let output = compiler.output().at("clang-19")?;
                match output.status.success() {
                    true => Ok(()),
                    false => Err(Error::new(String::from_utf8_lossy(&output.stderr).trim_end())
                        .at(source.display())),
                }
            })?;
        Ok(result.join(PROGRAM))
    }

    pub(crate) fn component(
        &self,
        component: &Component<'_>,
        needs: &[(&str, &Built)],
    ) -> Result<Built> {
        let Component { name, script, inputs, source, tree } = component;
        let sysroot = self.root.join("sysroot");
        let script = sysroot.join(script);
        let mut key = tools::with_compilers(Key::new(name));
        key = key.with_digest("script", self.index.file(&script)?);
        for input in *inputs {
            key = key.with_digest(input, self.index.path(&sysroot.join(input))?);
        }
        for (variable, built) in needs {
            key = key.with_digest(variable, built.digest);
        }
        let archive = match source {
            Origin::Nowhere => None,
            Origin::Listed(source) => Some(self.source(source)?),
            Origin::Given(source) => Some(self.archive(name, source)?),
        };
        if let Some(archive) = &archive {
            key = key.with_digest("source", archive.digest);
        }

        let path = self.cache.get(name, key.finish(), |out, work| {
            // The next version of the component is built in the same tree.
            let _lock = tree.map(|tree| self.cache.lock(&format!("tree-{tree}"))).transpose()?;
            let step = self.progress.step(name);
            let workshop = self.cache.workshop()?;
            let (result, scratch) = workshop.directories(out, work)?;
            let tree = tree.map(|name| workshop.path("trees").join(name));
            let mut command = linnet_process::command(&script);
            command.arg(&result).arg(tree.as_deref().unwrap_or(&scratch));
            script::clear_environment(&mut command, self.cache.lock_of(work));
            command.env("JOBS", self.jobs.to_string());
            for (variable, built) in needs {
                command.env(variable, workshop.name_of(&built.path));
            }
            if let Some(archive) = &archive {
                command.env("SOURCE", workshop.name_of(&archive.path));
            }
            script::run(&mut command, &self.cache.path("logs").join(name), &step)
                .map_err(|error| error.at(name))?;
            workshop.bring(&result, out)?;
            let digest = self.index.tree(out)?;
            fs::write(out.join(DIGEST), digest.to_string()).at(out.display())?;
            step.done();
            Ok(())
        })?;
        Ok(Built { digest: read_digest(&path)?, path })
    }
}

/// How the programs of tests are compiled.
const FLAGS: [&str; 4] = ["-O2", "-Wall", "-Wextra", "-Werror"];
const PROGRAM: &str = "program.wasm";

/// Holds the digest of a result's other files.
const DIGEST: &str = ".digest";

fn read_digest(result: &Path) -> Result<Digest> {
    let path = result.join(DIGEST);
    let text = fs::read_to_string(&path).at(path.display())?;
    Digest::parse(&text).ok_or_else(|| {
        Error::new("not a digest").at(path.display()).hint(format!("remove {}", result.display()))
    })
}
