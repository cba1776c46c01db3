//! Boot binaries: everything a machine runs, in one executable.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use linnet_abi::calls::KERNEL_PREFIX;
use linnet_codegen::Target;
use object::Architecture;

use crate::builder::Builder;
use crate::digest::Key;
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::guest::Guest;
use crate::parallel::{self, join};
use crate::translate::{Translated, with_translator};
use crate::tree::{Kind, Node, Tree};
use crate::{cpio, image, link, rootfs};

/// Kernel arguments that always apply: the console belongs to the guest's programs. A panic is shown
/// all the same.
const APPEND: &str = "loglevel=1";

/// The shell and all its applets.
const BUSYBOX: &str = "bin/busybox";

/// Started by the kernel.
const INIT: &str = "init";

/// A file of the built result.
const BINARY: &str = "vm";

impl Builder {
    /// The boot binary with the usual root file system and `files`; built unless it is there.
    pub fn boot_binary(&self, target: Target, files: &Files) -> Result<PathBuf> {
        let guest = self.guest()?;
        let skeleton = self.root.join("sysroot/rootfs");
        let key = with_translator(Key::new("boot"))
            .with("builder", env!("LINNET_BUILDER"))
            .with("target", target.name())
            .with_digest("runtime", self.runtime_key(target)?)
            .with_digest("rootfs", self.index.tree(&skeleton)?)
            .with_digest("kernel", guest.kernel.digest)
            .with_digest("busybox", guest.busybox.digest)
            .with_digest("init", guest.init.digest);
        let key = files.with_key(key);

        let result = self.cache.get("boot", key.finish(), |out, work| {
            let step = self.progress.step("translate");
            let mut tree = self.root_file_system(&guest, &skeleton, files)?;
            let (runtime, kernel, programs) = thread::scope(|scope| {
                let runtime = scope.spawn(|| self.runtime_archive(target));
                let kernel = self.kernel_object(&guest.kernel_module(), target);
                (join(runtime), kernel, self.translate_all(&mut tree, target))
            });
            let (runtime, kernel, programs) = (runtime?, kernel?, programs?);
            step.done();

            let step = self.progress.step("link");
            let image = image::write(image::Contents {
                architecture: architecture(target),
                kernel_prefix: KERNEL_PREFIX,
                programs: programs.iter().map(|translated| translated.program.clone()).collect(),
                initrd: &cpio::write(&tree),
                append: APPEND,
                memory: 0,
            })?;
            let image_object = work.join("image.o");
            fs::write(&image_object, image).at(image_object.display())?;
            let mut objects = vec![image_object, kernel];
            objects.extend(programs.into_iter().map(|translated| translated.object));
            let log = self.cache.path("logs/link");
            link::link(&out.join(BINARY), &objects, &runtime, &log, &step)?;
            step.done();
            Ok(())
        })?;
        Ok(result.join(BINARY))
    }

    /// All files, with programs as modules.
    fn root_file_system(&self, guest: &Guest, skeleton: &Path, files: &Files) -> Result<Tree> {
        let mut tree = Tree::default();
        rootfs::add_layout(&mut tree, skeleton)?;
        for (path, component, file) in
            [(INIT, &guest.init, "init.wasm"), (BUSYBOX, &guest.busybox, "busybox.wasm")]
        {
            let file = component.path.join(file);
            let contents = fs::read(&file).at(file.display())?;
            tree.add(path, Node::of_root(Kind::File(contents), 0o755));
        }
        tree.add("sbin/init", Node::link_to("/init"));
        tree.merge(files.tree.clone());
        // What the user brings takes the place of an applet.
        let links = guest.busybox.path.join("links");
        rootfs::add_links(&mut tree, &links, &format!("/{BUSYBOX}"))?;
        Ok(tree)
    }

    /// Puts in the place of each module the file that the guest's kernel executes.
    fn translate_all(&self, tree: &mut Tree, target: Target) -> Result<Vec<Translated>> {
        let modules: Vec<(&str, &mut Node)> =
            tree.iter_mut().filter(|(_, node)| node.module().is_some()).collect();
        let translate = |(path, node): &(&str, &mut Node)| {
            let module = node.module().unwrap_or_default();
            let translated = self.program_object(Path::new(path), module, target)?;
            let file = fs::read(&translated.executable).at(translated.executable.display())?;
            Ok((translated, file))
        };
        let translated = parallel::map(self.jobs, &modules, translate);
        let mut programs = Vec::new();
        for ((_, node), result) in modules.into_iter().zip(translated) {
            let (program, file) = result?;
            node.kind = Kind::File(file);
            programs.push(program);
        }
        // Two names may have the same program.
        programs.sort_by_key(|translated| translated.program.id);
        programs.dedup_by_key(|translated| translated.program.id);
        Ok(programs)
    }
}

fn architecture(target: Target) -> Architecture {
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
