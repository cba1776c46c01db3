//! Boot binaries: everything a machine runs, in one executable.

use std::env::consts::ARCH;
use std::fs;
use std::path::PathBuf;
use std::thread;

use linnet_abi::calls::KERNEL_PREFIX;
use linnet_codegen::Target;
use object::Architecture;

use crate::builder::Builder;
use crate::cpio::Archive;
use crate::digest::Key;
use crate::error::{At as _, Error, Result};
use crate::guest::join;
use crate::translate::{Translated, with_translator};
use crate::{image, link, rootfs};

/// Kernel arguments that always apply: the console belongs to the guest's programs. A panic is shown
/// all the same.
const APPEND: &str = "loglevel=1";

/// The shell and all its applets.
const BUSYBOX: &str = "bin/busybox";

/// Started by the kernel.
const INIT: &str = "init";

/// A file of the built result.
const BINARY: &str = "vm";

/// A program or another file that goes into the root file system beside the usual ones.
#[derive(Debug, Clone)]
pub struct Extra {
    /// Where in the root file system.
    pub path: String,
    /// A WebAssembly module, or else any file, on this machine.
    pub file: PathBuf,
    pub program: bool,
}

impl Builder {
    /// The boot binary with the usual root file system and `extras`; built unless it is there.
    pub fn boot_binary(&self, target: Target, extras: &[Extra]) -> Result<PathBuf> {
        let guest = self.guest()?;
        let skeleton = self.root.join("sysroot/rootfs");
        let mut key = with_translator(Key::new("boot"))
            .with("builder", env!("LINNET_BUILDER"))
            .with("target", target.name())
            .with_digest("runtime", self.runtime_key(target)?)
            .with_digest("rootfs", self.index.tree(&skeleton)?)
            .with_digest("kernel", guest.kernel.digest)
            .with_digest("busybox", guest.busybox.digest)
            .with_digest("init", guest.init.digest);
        for extra in extras {
            key = key
                .with("extra", &extra.path)
                .with("program", [u8::from(extra.program)])
                .with_digest("contents", self.index.file(&extra.file)?);
        }

        let result = self.cache.get("boot", key.finish(), |out, work| {
            let step = self.progress.step("translate");
            let (runtime, kernel, programs) = thread::scope(|scope| {
                let runtime = scope.spawn(|| self.runtime_archive(target));
                let kernel = self.kernel_object(&guest.kernel_module(), target);
                let programs = (|| {
                    let mut all = vec![
                        (INIT, self.program_object(&guest.init.path.join("init.wasm"), target)?),
                        (
                            BUSYBOX,
                            self.program_object(&guest.busybox.path.join("busybox.wasm"), target)?,
                        ),
                    ];
                    for extra in extras.iter().filter(|extra| extra.program) {
                        all.push((&extra.path, self.program_object(&extra.file, target)?));
                    }
                    Ok(all)
                })();
                let runtime = join(runtime);
                (runtime, kernel, programs)
            });
            let (runtime, kernel, programs) = (runtime?, kernel?, programs?);
            step.done();

            let step = self.progress.step("link");
            let mut archive = Archive::default();
            rootfs::add_layout(&mut archive, &skeleton)?;
            for (path, translated) in &programs {
                rootfs::add_executable(&mut archive, path, &translated.executable)?;
            }
            for extra in extras.iter().filter(|extra| !extra.program) {
                rootfs::add_executable(&mut archive, &extra.path, &extra.file)?;
            }
            archive.add("sbin/init", rootfs::link_to("/init"));
            rootfs::add_links(
                &mut archive,
                &guest.busybox.path.join("links"),
                &format!("/{BUSYBOX}"),
            )?;

            let mut programs: Vec<Translated> =
                programs.into_iter().map(|(_, translated)| translated).collect();
            // Two names may have the same program.
            programs.sort_by_key(|translated| translated.program.id);
            programs.dedup_by_key(|translated| translated.program.id);
            let image = image::write(image::Contents {
                architecture: architecture(target),
                kernel_prefix: KERNEL_PREFIX,
                programs: programs.iter().map(|translated| translated.program.clone()).collect(),
                initrd: &archive.write(),
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
