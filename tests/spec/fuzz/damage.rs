//! Modules with damage: an error or not, but no panic, and soon.

use crate::generate::{Case, Random};
use crate::keep;
use linnet_codegen::{Options, Target, c_header, rust_module, translate};
use linnet_spec::Error;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

/// Damaged copies of each module.
const COPIES: u64 = 4;

/// These modules are small. Of processor time.
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
        let started = processor_time()?;
        let result = catch_unwind(|| {
            let translated = translate(&wasm, &Options::host(target, "m")).is_ok();
            let described =
                c_header(&wasm, "m", &[]).is_ok() && rust_module(&wasm, "m", &[]).is_ok();
            translated && described
        });
        let took = processor_time()? - started;
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

/// What this program has had so far: the host may be busy with others. User's and system's time are fields
/// 14 and 15 of proc(5), in hundredths of a second; the name before them is in brackets.
fn processor_time() -> Result<Duration, Error> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
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
