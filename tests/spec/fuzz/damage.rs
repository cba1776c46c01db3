//! Modules with damage: an error or not, but no panic, and soon.

use crate::generate::{Case, Random};
use crate::keep;
use linnet_codegen::{Options, Target, c_header, rust_module, translate};
use linnet_spec::Error;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

/// Damaged copies of each module.
const COPIES: u64 = 4;

/// These modules are small.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) modules: u64,
    pub(crate) refused: u64,
    pub(crate) failures: u64,
    pub(crate) slowest: Duration,
}

pub(crate) fn check(case: &Case, directory: &Path, totals: &mut Totals) -> Result<(), Error> {
    let mut random = Random::new(!case.seed);
    for copy in 0..COPIES {
        let mut wasm = case.wasm.clone();
        damage(&mut wasm, &mut random);
        let target = Target::ALL[random.below(Target::ALL.len())];
        let once = || {
            let started = Instant::now();
            let result = catch_unwind(|| {
                let translated = translate(&wasm, &Options::host(target, "m")).is_ok();
                let described = c_header(&wasm, "m").is_ok() && rust_module(&wasm, "m").is_ok();
                translated && described
            });
            (result, started.elapsed())
        };
        let (mut result, mut took) = once();
        if took > LIMIT {
            // Others may have had the processor.
            (result, took) = once();
        }
        totals.modules += 1;
        totals.slowest = totals.slowest.max(took);
        totals.refused += u64::from(matches!(result, Ok(false)));
        if result.is_err() || took > LIMIT {
            totals.failures += 1;
            let name = format!("{}-damaged-{copy}.wasm", case.seed);
            let path = keep(directory, &name, &wasm)?;
            println!("FAIL {} after {took:?}: {}", target.name(), path.display());
        }
    }
    Ok(())
}

/// Changes bytes, cuts something out, doubles something, or cuts the end off.
fn damage(wasm: &mut Vec<u8>, random: &mut Random) {
    let at = 8 + random.below(wasm.len().saturating_sub(8).max(1));
    let len = 1 + random.below(16);
    match random.below(6) {
        0 => wasm.truncate(at),
        1 => drop(wasm.drain(at.min(wasm.len())..(at + len).min(wasm.len()))),
        2 => {
            let part = wasm[at.min(wasm.len())..(at + len).min(wasm.len())].to_vec();
            wasm.splice(at.min(wasm.len())..at.min(wasm.len()), part);
        }
        _ => {
            for _ in 0..1 + random.below(4) {
                let at = 8 + random.below(wasm.len().saturating_sub(8).max(1));
                if let Some(byte) = wasm.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
        }
    }
}
