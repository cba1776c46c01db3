//! Frozen systems: booted once where they are built, and started from there ever after.

use std::fs;

use crate::boot::host;
use crate::builder::Builder;
use crate::digest::Key;
use crate::error::{At as _, Error, Result};
use crate::script;
use crate::system::System;
use crate::tree::{Kind, Node};

/// Where the first process finds the script that runs before the machine is frozen.
const SCRIPT: &str = "linnet/frozen";

/// Has the kernel tell the first process that the machine is to be frozen.
const FREEZE: &str = "LINNET_FREEZE=1";

/// vCPUs of the machine that is frozen. One that is started has as many at most.
const CPUS: u32 = 4;

/// A file of the built result.
const SNAPSHOT: &str = "snapshot";

impl Builder {
    /// What a frozen system is before it is frozen, and its snapshot.
    pub(crate) fn freeze(&self, system: &System, script: &str) -> Result<(System, Vec<u8>)> {
        let mut thawed = System { frozen: None, frames: true, ..system.clone() };
        if !thawed.disks.is_empty() {
            return Err(Error::new("a frozen machine has no disks")
                .hint("give them when it starts: then it boots as any other")
                .usage());
        }
        if thawed.append.contains("rdinit=") || thawed.files.tree.contains("init") {
            return Err(Error::new("a frozen machine has no first process of its own")
                .hint("Linnet's own one runs the script, and knows when to freeze")
                .usage());
        }
        let text = format!("{script}\0");
        thawed.files.tree.add(SCRIPT, Node::of_root(Kind::file(text), 0o644))?;
        // It is the same on every CPU.
        let plain = System { strip: false, compress: false, ..thawed.clone() };
        let binary = self.boot_binary_of(host()?, &plain)?;
        // Its directory is named after all that it is made of.
        let key = Key::new("frozen").with("binary", binary.as_os_str().as_encoded_bytes());
        let result = self.cache.get("frozen", key.finish(), |out, _| {
            let step = self.progress.step("freeze");
            let file = out.join(SNAPSHOT);
            let mut command = linnet_process::command(&binary);
            command
                .args(["--cpus", &CPUS.to_string(), "--append", FREEZE, "--freeze-to"])
                .arg(&file);
            script::run(&mut command, &self.cache.path("logs/freeze"), &step)?;
            if fs::metadata(&file).map_or(0, |file| file.len()) == 0 {
                return Err(Error::new("the machine ended before it could be frozen")
                    .hint("the script must end and leave what it has started in the background"));
            }
            step.done();
            Ok(())
        })?;
        let file = result.join(SNAPSHOT);
        Ok((thawed, fs::read(&file).at(file.display())?))
    }
}
