//! How fast modules are translated, and with how much memory.
//!
//! Each translation is a process of its own, this program with [`TRANSLATE`] as its first argument, so
//! that the memory is that of one translation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use linnet_abi::calls::KERNEL_PREFIX;
use linnet_build::{At as _, Builder, Error, Result, host};
use linnet_codegen::{Options, translate};

use crate::engines::{Engine, Engines, WASM2C};
use crate::programs::{Program, here, run};

/// `TRANSLATE MODULE PREFIX plain|frames|host`
pub(crate) const TRANSLATE: &str = "--translate";

/// A module as large as those of browsers has these functions of SQLite so many times.
const COPIES: u32 = 24;

/// The fastest of so many translations counts.
const ROUNDS: usize = 3;

/// One translation.
#[derive(Clone, Copy)]
struct Translation {
    seconds: f64,
    functions: u64,
    code: u64,
    /// In MB.
    peak: f64,
}

struct Row {
    name: String,
    bytes: u64,
    threads: usize,
    translation: Translation,
}

pub(crate) struct Translations {
    rows: Vec<Row>,
    /// Code with `--frames`, as a multiple of that without.
    growth: f64,
    /// Seconds for the module of `sqlite` on one CPU: Linnet, and the others that are here.
    peers: Vec<(&'static str, f64)>,
}

impl Translations {
    pub(crate) fn measure(builder: &Builder, engines: &Engines, sqlite: &Program) -> Result<Self> {
        let work = engines.work();
        let kernel = builder.kernel_module()?;
        let own = engines.file(Engine::Linnet, sqlite, "wasm");
        let large = work.join("large.wasm");
        let bytes = fs::read(&own).at(own.display())?;
        let copies = multiplied(&bytes, COPIES);
        let copies = copies.ok_or_else(|| Error::new("no module").at(own.display()))?;
        fs::write(&large, copies).at(large.display())?;
        let mut rows = Vec::new();
        for (name, module, prefix, threads, rounds) in [
            ("the kernel", &kernel, KERNEL_PREFIX, 1, ROUNDS),
            ("the kernel", &kernel, KERNEL_PREFIX, 2, ROUNDS),
            ("SQLite", &own, "p", 1, ROUNDS),
            ("SQLite's functions 24 times", &large, "p", 2, 1),
        ] {
            eprintln!("translating {name}");
            let translation = best(module, prefix, "plain", threads, rounds)?;
            let bytes = fs::metadata(module).at(module.display())?.len();
            rows.push(Row { name: name.to_owned(), bytes, threads, translation });
        }
        let with_frames = best(&own, "p", "frames", 1, 1)?;
        let growth = with_frames.code as f64 / rows[2].translation.code as f64;
        let mut peers = Vec::new();
        if engines.has(Engine::Wasm2c) {
            let module = engines.file(Engine::Wasm2c, sqlite, "wasm");
            peers.push(("Linnet", best(&module, "p", "host", 1, ROUNDS)?.seconds));
            eprintln!("translating SQLite with wasm2c and gcc");
            peers.push(("wasm2c + gcc", wasm2c(&module, work)?));
            if engines.has(Engine::Wasmtime) {
                peers.push(("wasmtime", wasmtime(&module, engines)?));
            }
        }
        Ok(Translations { rows, growth, peers })
    }

    /// The page's chapter.
    pub(crate) fn chapter(&self, slower: (f64, f64, &str)) -> String {
        let mut text = "\n## How fast it translates\n\n\
            | module | functions | wasm | CPUs | time | wasm per second and CPU | peak memory |\n\
            |---|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
        for Row { name, bytes, threads, translation } in &self.rows {
            let Translation { seconds, functions, peak, .. } = translation;
            let megabytes = *bytes as f64 / 1e6;
            let rate = megabytes / seconds / *threads as f64;
            let _ = writeln!(
                text,
                "| {name} | {functions} | {megabytes:.1} MB | {threads} | {seconds:.2} s | \
                 {rate:.2} MB | {peak:.0} MB |"
            );
        }
        text += "\nThe result is the same for any number of threads; a test checks that.\n";
        if let [(_, own), others @ ..] = &self.peers[..] {
            let others: Vec<String> = others
                .iter()
                .map(|(name, time)| format!("{name} {time:.1} s, {:.1} times as long", time / own))
                .collect();
            let _ = writeln!(
                text,
                "SQLite as a module of WASI on one CPU: Linnet {own:.2} s, {}.",
                others.join("; ")
            );
        }
        let (mean, worst, program) = slower;
        let _ = writeln!(
            text,
            "\nPrograms whose frames can be captured as data, and never are, take {:.1} % more time \
             on the geometric mean, {program} the most with {:.1} %. SQLite's code grows to {:.2} \
             times its size, including the code that continues a captured frame.",
            (mean - 1.0) * 100.0,
            (worst - 1.0) * 100.0,
            self.growth
        );
        text
    }
}

/// What the process prints that [`translate_one`] is.
fn best(
    module: &Path,
    prefix: &str,
    kind: &str,
    threads: usize,
    rounds: usize,
) -> Result<Translation> {
    let this = std::env::current_exe().at("this program")?;
    let mut best: Option<Translation> = None;
    for _ in 0..rounds {
        let mut command = Command::new(&this);
        command.arg(TRANSLATE).arg(module).args([prefix, kind]);
        let text = run(command.env("RAYON_NUM_THREADS", threads.to_string()))?;
        let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
        let [seconds, functions, code, peak] = numbers[..] else {
            return Err(Error::new(format!("no result in {text:?}")).at(module.display()));
        };
        let (functions, code) = (functions as u64, code as u64);
        let found = Translation { seconds, functions, code, peak };
        if best.is_none_or(|best| seconds < best.seconds) {
            best = Some(found);
        }
    }
    best.ok_or_else(|| Error::new("no rounds"))
}

/// Translates one module, and prints the seconds, functions, bytes of code, and MB of memory.
pub(crate) fn translate_one(arguments: &[String]) -> Result<()> {
    let [module, prefix, kind] = arguments else {
        return Err(Error::new("a module, a prefix, and a kind are wanted"));
    };
    let wasm = fs::read(module).at(module)?;
    let options = match kind.as_str() {
        "host" => Options::host(host()?, prefix),
        _ => Options { frames: kind == "frames", ..Options::linux(host()?, prefix) },
    };
    let started = Instant::now();
    let object = translate(&wasm, &options).map_err(|cause| Error::new(cause).at(module))?;
    let seconds = started.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").at("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    let peak = peak.ok_or_else(|| Error::new("no VmHWM").at("/proc/self/status"))?;
    let stats = object.stats;
    println!("{seconds} {} {} {}", stats.functions, stats.code_size, peak * 1024.0 / 1e6);
    Ok(())
}

fn wasm2c(module: &Path, work: &Path) -> Result<f64> {
    let place = work.join("wasm2c-time");
    fs::create_dir_all(&place).at(place.display())?;
    let c = place.join("module.c");
    let started = Instant::now();
    run(Command::new("wasm2c").args(["-n", "module"]).arg(module).arg("-o").arg(&c))?;
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-w", "-c", "-I", WASM2C, "-o"]).arg(place.join("module.o")).arg(&c);
    run(&mut gcc)?;
    Ok(started.elapsed().as_secs_f64())
}

fn wasmtime(module: &Path, engines: &Engines) -> Result<f64> {
    let file: PathBuf = engines.work().join("wasmtime-time");
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let mut python = Command::new(engines.python()?);
        python.arg(here().join("wasi/run.py")).arg("--compile").arg(module).arg(&file);
        // It prints how long the compilation took.
        let text = run(python.env("RAYON_NUM_THREADS", "1"))?;
        let seconds: f64 =
            text.trim().parse().map_err(|_| Error::new(format!("no time in {text:?}")))?;
        best = best.min(seconds);
    }
    Ok(best)
}

/// A module with each function so many times; the copies call the first ones.
fn multiplied(module: &[u8], times: u32) -> Option<Vec<u8>> {
    const FUNCTIONS: u8 = 3;
    const CODE: u8 = 10;
    let (mut result, mut rest) = (module.get(..8)?.to_vec(), &module[8..]);
    while let Some((id, after)) = rest.split_first() {
        let (size, after) = number(after)?;
        let (section, after) = after.split_at_checked(size as usize)?;
        rest = after;
        result.push(*id);
        if !matches!(*id, FUNCTIONS | CODE) {
            push(&mut result, size);
            result.extend(section);
            continue;
        }
        let (count, items) = number(section)?;
        let mut body = Vec::new();
        push(&mut body, count.checked_mul(times)?);
        for _ in 0..times {
            body.extend(items);
        }
        push(&mut result, u32::try_from(body.len()).ok()?);
        result.extend(body);
    }
    Some(result)
}

/// Reads an unsigned number in LEB128.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

fn push(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
