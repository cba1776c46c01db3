//! Modules with damage: an error or not, but never a panic.

use linnet_codegen::{Error, Options, Target, exec_file, translate};
use std::panic::catch_unwind;

/// Changed copies of each module.
const CHANGES: u64 = 40;

/// An error, if there was no panic.
fn attempt(wasm: &[u8], what: &str) -> Result<Option<Error>, String> {
    let options = Options::linux(Target::X86_64, "test");
    let result = catch_unwind(|| {
        let translated = translate(wasm, &options).err();
        let filed = exec_file(wasm, false).err();
        translated.or(filed)
    });
    result.map_err(|_| format!("panic on a module {what}"))
}

/// Cuts a module at every byte. What is left is a module only if it ends between sections.
pub fn truncate(wasm: &[u8]) -> Result<(), String> {
    let ends = section_ends(wasm);
    for len in 0..wasm.len() {
        let error = attempt(&wasm[..len], &format!("of {len} bytes"))?;
        if let Some(error) = &error
            && error.offset().is_some_and(|o| o > len as u64)
        {
            return Err(format!("the error lies behind the end, {len:#x}: {error}"));
        }
        if error.is_none() && !ends.contains(&len) {
            return Err(format!("no error in a module of {len} bytes"));
        }
    }
    Ok(())
}

/// Offsets at which a section ends, and that of the first one.
fn section_ends(wasm: &[u8]) -> Vec<usize> {
    let mut ends = vec![8];
    let mut at = 8;
    while at < wasm.len() {
        let mut size = 0;
        let mut shift = 0;
        loop {
            at += 1;
            size |= usize::from(wasm[at] & 0x7f) << shift;
            shift += 7;
            if wasm[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1 + size;
        ends.push(at);
    }
    ends
}

/// Changes one to three bytes at places that are the same in every run.
pub fn change(wasm: &[u8]) -> Result<(), String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for round in 0..CHANGES {
        let mut changed = wasm.to_vec();
        for _ in 0..=random.below(3) {
            let at = 8 + random.below(wasm.len() - 8);
            changed[at] = random.below(256) as u8;
        }
        attempt(&changed, &format!("with changes, round {round}"))?;
    }
    Ok(())
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
