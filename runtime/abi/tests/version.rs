//! What separately made parts must agree on does not change unseen: a module that was translated before the change
//! would be linked with a runtime from after it.

use linnet_abi::ABI_VERSION;
use std::path::Path;
use std::{fs, io};

/// Of the version, and of what it stands for: see [`fingerprint`].
const KNOWN: (u32, u64) = (2, 0x7565_d436_f614_20dc);

/// FNV-1a of this crate's source without comments and space, but for the kernel's header, which is printed from it
/// and has a test of its own.
fn fingerprint() -> io::Result<u64> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != "header.rs" && name != "lib.rs") {
            files.push(path);
        }
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let text = fs::read_to_string(&file)?;
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        for byte in code.flat_map(str::bytes).filter(|byte| !byte.is_ascii_whitespace()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    Ok(hash)
}

#[test]
fn version_is_raised_when_the_tables_change() -> io::Result<()> {
    let now = (ABI_VERSION, fingerprint()?);
    assert!(
        now == KNOWN,
        "the tables have changed: raise ABI_VERSION, unless what was made before still fits, and make KNOWN ({}, {:#x})",
        now.0,
        now.1
    );
    Ok(())
}
