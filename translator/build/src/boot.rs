//! Boot binaries: everything a machine runs, in one executable.

use std::collections::HashSet;
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use linnet_abi::calls::KERNEL_PREFIX;
use linnet_abi::packed;
use linnet_codegen::Target;
use object::Architecture;

use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::guest::Guest;
use crate::inspect::{Contents, Program};
use crate::parallel::{self, join};
use crate::progress::Step;
use crate::system::System;
use crate::translate::{Translated, with_translator};
use crate::tree::{Entry, File, Kind, Node, Tree, shown};
use crate::{cpio, image, inspect, link, pack, rootfs, runtime};

/// Kernel arguments that always apply: the console belongs to the guest's programs. A panic is shown
/// all the same.
///
/// No compaction of memory ahead of need: it serves huge pages, which the guest has not, and its kernel
/// thread may wait in a loop for what only an interrupt brings.
const APPEND: &str = "loglevel=1 sysctl.vm.compaction_proactiveness=0";

/// The shell and all its applets.
const BUSYBOX: &str = "bin/busybox";

/// Started by the kernel.
const INIT: &str = "init";

/// A file of the built result.
const BINARY: &str = "vm";

impl Builder {
    /// The boot binary with the usual root file system and `files`; built unless it is there.
    pub fn boot_binary(&self, target: Target, files: &Files) -> Result<PathBuf> {
        self.boot_binary_of(target, &System::with(files.clone()))
    }

    /// The boot binary of a system; built unless it is there.
    pub fn boot_binary_of(&self, target: Target, system: &System) -> Result<PathBuf> {
        let guest = self.guest(&system.kernel)?;
        let skeleton = self.root.join("sysroot/rootfs");
        let key = with_translator(Key::new("boot"))
            .with("builder", env!("LINNET_BUILDER"))
            .with("target", target.name())
            .with_digest("runtime", self.runtime_key(runtime::MACHINE, target)?)
            .with_digest("unpack", self.runtime_key(runtime::UNPACK, target)?)
            .with_digest("rootfs", self.index.tree(&skeleton)?)
            .with_digest("kernel", guest.kernel.digest)
            .with_digest("busybox", guest.busybox.digest)
            .with_digest("init", guest.init.digest);
        let key = system.with_key(key);

        let result = self.cache.get("boot", key.finish(), |out, work| {
            let (thawed, snapshot) = match &system.frozen {
                Some(script) => {
                    let (thawed, snapshot) = self.freeze(system, script)?;
                    (Some(thawed), snapshot)
                }
                None => (None, Vec::new()),
            };
            let system = thawed.as_ref().unwrap_or(system);
            let step = self.progress.step("translate");
            let mut tree = self.root_file_system(&guest, &skeleton, system)?;
            let places = places(&tree);
            let module = guest.kernel_module();
            let kernel_size = fs::metadata(&module).at(module.display())?.len();
            step.measure(kernel_size + places.iter().map(|program| program.size).sum::<u64>());
            let (runtime, kernel, programs) = thread::scope(|scope| {
                let runtime = scope.spawn(|| self.runtime_archive(runtime::MACHINE, target));
                let kernel = self.kernel_object(&module, target, system.frames);
                step.advance(kernel_size, KERNEL_PREFIX);
                let programs = self.translate_all(&mut tree, target, system.frames, &step);
                (join(runtime), kernel, programs)
            });
            let (runtime, kernel, programs) = (runtime?, kernel?, programs?);
            step.done();

            let step = self.progress.step("link");
            let contents = description(&guest, target, &places)?;
            let initrd = cpio::write(&tree)?;
            let append = match system.append.as_str() {
                "" => APPEND.to_owned(),
                more => format!("{APPEND} {more}"),
            };
            let image = image::write(image::Contents {
                architecture: architecture(target),
                kernel_prefix: KERNEL_PREFIX,
                programs: programs.iter().map(|translated| translated.program.clone()).collect(),
                initrd: &initrd,
                append: &append,
                memory: system.memory,
                disks: &system.disks,
                snapshot: &snapshot,
                description: &contents,
            })?;
            let image_object = work.join("image.o");
            fs::write(&image_object, image).at(image_object.display())?;
            let mut objects = vec![image_object, kernel];
            objects.extend(programs.into_iter().map(|translated| translated.object));
            let log = self.cache.path("logs/link");
            let stripped = (system.strip || system.compress).then_some(work);
            let plain = if system.compress { work.join(BINARY) } else { out.join(BINARY) };
            link::link(&plain, &objects, &runtime, stripped, None, &log, &step)?;
            step.done();
            if system.compress {
                let step = self.progress.step("compress");
                let binary = fs::read(&plain).at(plain.display())?;
                let packed = pack::write(architecture(target), &binary, self.jobs)?;
                let object = work.join("packed.o");
                fs::write(&object, packed).at(object.display())?;
                let unpack = self.runtime_archive(runtime::UNPACK, target)?;
                let base = Some(packed::BASE);
                link::link(&out.join(BINARY), &[object], &unpack, stripped, base, &log, &step)?;
                step.done();
            }
            Ok(())
        })?;
        Ok(result.join(BINARY))
    }

    /// Writes a boot binary of a module in the kernel's place, with programs and no files, for tests.
    pub fn bare_boot_binary(
        &self,
        output: &Path,
        kernel: &Path,
        programs: &[PathBuf],
        target: Target,
    ) -> Result<()> {
        let runtime = self.runtime_archive(runtime::MACHINE, target)?;
        let mut objects = vec![self.kernel_object(kernel, target, false)?];
        let mut image_programs = Vec::new();
        for path in programs {
            let bytes = fs::read(path).at(path.display())?;
            let translated = self.program_object(path, &bytes, target, false)?;
            image_programs.push(translated.program);
            objects.push(translated.object);
        }
        let image = image::write(image::Contents {
            architecture: architecture(target),
            kernel_prefix: KERNEL_PREFIX,
            programs: image_programs,
            initrd: &[],
            append: "",
            memory: 0,
            disks: &[],
            snapshot: &[],
            description: "{}",
        })?;
        let image_object = output.with_extension("image.o");
        fs::write(&image_object, image).at(image_object.display())?;
        objects.push(image_object);
        let step = self.progress.step("link");
        link::link(output, &objects, &runtime, None, None, &self.cache.path("logs/link"), &step)?;
        step.done();
        Ok(())
    }

    /// All files, with programs as modules.
    fn root_file_system(&self, guest: &Guest, skeleton: &Path, system: &System) -> Result<Tree> {
        let mut tree = Tree::default();
        let component = |path: PathBuf| -> Result<Node> {
            let contents = fs::read(&path).at(path.display())?;
            Ok(Node::of_root(Kind::file(contents), 0o755))
        };
        tree.add(INIT, component(guest.init.path.join("init.wasm"))?)?;
        if !system.base {
            tree.merge(&system.files.tree)?;
            return Ok(tree);
        }
        rootfs::add_layout(&mut tree, skeleton)?;
        tree.add(BUSYBOX, component(guest.busybox.path.join("busybox.wasm"))?)?;
        tree.add("sbin/init", Node::link_to("/init"))?;
        tree.add("usr/bin/getconf", component(guest.init.path.join("getconf.wasm"))?)?;
        tree.merge(&system.files.tree)?;
        // What the user brings takes the place of an applet.
        let links = guest.busybox.path.join("links");
        rootfs::add_links(&mut tree, &links, &format!("/{BUSYBOX}"))?;
        Ok(tree)
    }

    /// Puts in the place of each module the file that the guest's kernel executes. `step` counts bytes of
    /// modules.
    fn translate_all(
        &self,
        tree: &mut Tree,
        target: Target,
        frames: bool,
        step: &Step<'_>,
    ) -> Result<Vec<Translated>> {
        // Files that are programs, each with one of its names.
        let mut seen = HashSet::new();
        let modules: Vec<(String, File)> = tree
            .iter()
            .filter(|entry| entry.node.module().is_some() && seen.insert(entry.file))
            .map(|entry| (shown(&entry.path), entry.file))
            .collect();
        let translate = |(path, file): &(String, File)| {
            let module = tree.node(*file).module().unwrap_or_default();
            let translated = self.program_object(Path::new(path), module, target, frames)?;
            step.advance(module.len() as u64, path);
            let file = fs::read(&translated.executable).at(translated.executable.display())?;
            Ok((translated, file))
        };
        let translated = parallel::map(self.jobs, &modules, translate);
        let mut programs = Vec::new();
        for ((_, file), result) in modules.into_iter().zip(translated) {
            let (program, contents) = result?;
            tree.rewrite(file, contents);
            programs.push(program);
        }
        // Two names may have the same program.
        programs.sort_by_key(|translated| translated.program.id);
        programs.dedup_by_key(|translated| translated.program.id);
        Ok(programs)
    }
}

/// Where programs are, and what they are.
fn places(tree: &Tree) -> Vec<Program> {
    let program = |Entry { path, node, .. }: Entry<'_>| {
        let module = node.module()?;
        let sha256 = Digest::of(module).to_string();
        Some(Program { path: format!("/{}", shown(&path)), size: module.len() as u64, sha256 })
    };
    tree.iter().filter_map(program).collect()
}

/// What a boot binary says of itself.
fn description(guest: &Guest, target: Target, programs: &[Program]) -> Result<String> {
    let path = guest.kernel_module();
    let kernel = fs::read(&path).at(path.display())?;
    let contents = Contents {
        linnet: env!("CARGO_PKG_VERSION").to_owned(),
        abi: linnet_abi::ABI_VERSION,
        target: target.name().to_owned(),
        kernel: inspect::kernel_version(&kernel).unwrap_or_default(),
        programs: programs.to_vec(),
    };
    serde_json::to_string(&contents).at("description")
}

pub(crate) fn architecture(target: Target) -> Architecture {
    match target {
        Target::X86_64 => Architecture::X86_64,
        Target::Aarch64 => Architecture::Aarch64,
        Target::Riscv64 => Architecture::Riscv64,
    }
}

/// The instruction set of this machine.
pub fn host() -> Result<Target> {
    Target::from_name(ARCH).ok_or_else(|| {
        Error::new(format!("no machine can be built for {ARCH}"))
            .hint(format!("supported are {}", Target::ALL.map(Target::name).join(", ")))
    })
}
