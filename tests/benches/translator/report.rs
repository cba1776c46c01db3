//! The results as a table, a file for programs, a picture, and a page of the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Error, Result};

use crate::engines::Engine;
use crate::programs::{Program, run};
use crate::translation::Translations;
use crate::{ROUNDS, Times};

pub(crate) struct Report<'a> {
    pub(crate) programs: &'a [&'a Program],
    pub(crate) times: &'a Times,
    pub(crate) missing: &'a [(Engine, String)],
}

const INTRODUCTION: &str = "\
# Benchmarks: the translator

The same C programs are compiled to WebAssembly and translated by Linnet, compiled natively, and
translated by other translators. Numbers are run times as multiples of those of native code by
`clang-19 -O2`: below 1 is faster.

![Run times relative to native code](../images/benchmarks-translator.svg)
";

const NOTES: &str = "
## What is measured

- Every program checks itself: it prints a checksum of its results, which is equal on all
  engines. It measures the time of the work alone with `CLOCK_MONOTONIC`. The number is the
  shortest of all its runs.
- All engines get `-O2` and the same sources. The C library is musl, or WASI's, which is based on musl.
  `malloc` is part of the programs. zstd is without its assembly and intrinsics, and in SQLite
  `long double` is `double`.
- Linnet's programs run in a guest, as with `linnet boot -- PROGRAM`, with its timer and
  polls. `vectors` means that clang had `-msimd128`, which is not the default of `linnet cc`. `frames`
  means `linnet build --frames`; nothing is captured.
- gcc, clang and wasm2c make code for any x86-64. Linnet's code is for x86-64-v2. wasmtime
  uses all instructions of the processor at hand.
- wasm2c is Debian's, with its default of guard pages instead of checks, and `gcc -O2`. wasmtime is the
  newest package for Python. With both, the `setjmp` of Lua and MuJS does nothing.
";

const EXPERIMENTS: &str = "
The page of [experiments](experiments-translator.md) shows what each optimization gives, and what was tried and not kept.
";

impl Report<'_> {
    fn engines(&self) -> Vec<Engine> {
        let present = |engine: &Engine| !self.missing.iter().any(|(missing, _)| missing == engine);
        Engine::ALL.into_iter().filter(present).collect()
    }

    fn ratio(&self, program: &Program, engine: Engine) -> Option<f64> {
        Some(
            self.times.get(&(program.name, engine))?
                / self.times.get(&(program.name, Engine::Clang))?,
        )
    }

    fn mean(&self, engine: Engine) -> f64 {
        let ratios = self.programs.iter().filter_map(|program| self.ratio(program, engine));
        let (sum, count) = ratios.fold((0.0, 0), |(sum, n), ratio| (sum + ratio.ln(), n + 1));
        (sum / f64::from(count)).exp()
    }

    pub(crate) fn table(&self) -> String {
        let engines = self.engines();
        let mut text = format!("| {:<14} | clang, ms |", "program");
        for engine in &engines[1..] {
            let _ = write!(text, " {engine} |");
        }
        text += "\n|:---------------|----------:|";
        for engine in &engines[1..] {
            let _ = write!(text, "{}:|", "-".repeat(engine.to_string().len() + 1));
        }
        for program in self.programs {
            let native = self.times[&(program.name, Engine::Clang)];
            let _ = write!(text, "\n| {:<14} | {:>9.2} |", program.name, native / 1e6);
            for engine in &engines[1..] {
                let ratio = self.ratio(program, *engine).unwrap_or(f64::NAN);
                let _ = write!(text, " {ratio:>0$.2} |", engine.to_string().len());
            }
        }
        let _ = write!(text, "\n| {:<14} | {:>9} |", "geometric mean", "");
        for engine in &engines[1..] {
            let _ = write!(text, " {:>1$.3} |", self.mean(*engine), engine.to_string().len());
        }
        text.push('\n');
        text
    }

    /// Writes everything into the documentation.
    pub(crate) fn write(&self, loads: &[f64], translations: &Translations) -> Result<()> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
        let save = |name: &str, text: String| {
            let path: PathBuf = docs.join(name);
            fs::write(&path, text).at(path.display())
        };
        let least = loads.iter().copied().fold(f64::INFINITY, f64::min);
        let most = loads.iter().copied().fold(0.0, f64::max);
        let mut page = INTRODUCTION.to_owned();
        let _ = writeln!(
            page,
            "\nMeasured on {} on {}, {} CPUs; load {least:.1} to {most:.1}, from other work too. \
             {ROUNDS} rounds in which the engines took turns. {}.\n\n{}",
            date()?,
            processor(),
            std::thread::available_parallelism().map_or(1, usize::from),
            versions(),
            self.table(),
        );
        for (engine, why) in self.missing {
            let _ = writeln!(page, "{engine} is left out: {}.", why.lines().next().unwrap_or(""));
        }
        page += "Made by\n\n```console\n$ cargo bench --package linnet-tests --bench translator\n```\n\n\
                 All numbers are in [benchmarks-translator.toml](benchmarks-translator.toml), in \
                 nanoseconds.\n";
        page += NOTES;
        page += &translations.chapter(self.frames());
        page += EXPERIMENTS;
        save("reference/benchmarks-translator.md", page)?;
        save("reference/benchmarks-translator.toml", self.toml()?)?;
        save("images/benchmarks-translator.svg", self.picture())
    }

    /// What frames as data cost: on the mean, at most, and which program that is.
    fn frames(&self) -> (f64, f64, &'static str) {
        let costs = self.programs.iter().filter_map(|program| {
            let time = |engine| self.times.get(&(program.name, engine));
            Some((time(Engine::LinnetFrames)? / time(Engine::Linnet)?, program.name))
        });
        let worst =
            costs.fold((0.0, ""), |worst, cost| if cost.0 > worst.0 { cost } else { worst });
        (self.mean(Engine::LinnetFrames) / self.mean(Engine::Linnet), worst.0, worst.1)
    }

    fn toml(&self) -> Result<String> {
        let mut text = format!("date = \"{}\"\nprocessor = \"{}\"\n", date()?, processor());
        for program in self.programs {
            let _ = writeln!(text, "\n[{}]", program.name);
            for engine in self.engines() {
                let time = self.times[&(program.name, engine)];
                let _ = writeln!(text, "\"{engine}\" = {time:.0}");
            }
        }
        let _ = writeln!(text, "\n[geometric-mean]");
        for engine in self.engines() {
            let _ = writeln!(text, "\"{engine}\" = {:.3}", self.mean(engine));
        }
        Ok(text)
    }

    /// Bars for each program, and the mean.
    fn picture(&self) -> String {
        const ENGINES: [(Engine, &str); 4] = [
            (Engine::Linnet, "#d9480f"),
            (Engine::LinnetSimd, "#f59f00"),
            (Engine::Wasm2c, "#4263eb"),
            (Engine::Wasmtime, "#868e96"),
        ];
        // A bar ends here, with an arrow's worth of truth in its number.
        const MOST: f64 = 2.0;
        const UNIT: f64 = 270.0;
        const LEFT: f64 = 110.0;
        const BAR: f64 = 9.0;
        let engines: Vec<_> = ENGINES.iter().filter(|(s, _)| self.engines().contains(s)).collect();
        let group = BAR * engines.len() as f64 + 9.0;
        let height = 50.0 + group * (self.programs.len() + 1) as f64 + 10.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\
             \"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
            LEFT + MOST * UNIT + 50.0
        );
        let mut x = LEFT;
        for (engine, color) in &engines {
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"8\" width=\"10\" height=\"10\" fill=\"{color}\"/>\
                 <text x=\"{}\" y=\"17\">{engine}</text>",
                x + 14.0
            );
            x += 130.0;
        }
        for tick in [0.5, 1.0, 1.5, 2.0] {
            let x = LEFT + tick * UNIT;
            let (color, width) = if tick == 1.0 { ("#000", 1.5) } else { ("#ddd", 1.0) };
            let _ = writeln!(
                svg,
                "<line x1=\"{x}\" y1=\"42\" x2=\"{x}\" y2=\"{height}\" stroke=\"{color}\" \
                 stroke-width=\"{width}\"/><text x=\"{x}\" y=\"37\" text-anchor=\"middle\">{tick}</text>"
            );
        }
        let mut y = 50.0;
        let mut row = |name: &str, ratios: Vec<f64>| {
            let middle = y + group / 2.0;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>",
                LEFT - 6.0
            );
            for ((_, color), ratio) in engines.iter().zip(ratios) {
                let length = ratio.min(MOST) * UNIT;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{color}\"/>\
                     <text x=\"{:.1}\" y=\"{}\" font-size=\"8\">{ratio:.2}</text>",
                    BAR - 1.0,
                    LEFT + length + 3.0,
                    y + BAR - 2.0
                );
                y += BAR;
            }
            y += 9.0;
        };
        for program in self.programs {
            let ratio = |(engine, _): &&(Engine, &str)| self.ratio(program, *engine).unwrap_or(0.0);
            row(program.name, engines.iter().map(ratio).collect());
        }
        row("mean", engines.iter().map(|(engine, _)| self.mean(*engine)).collect());
        svg += "</svg>\n";
        svg
    }
}

/// The number of tasks that are ready to run on this machine.
pub(crate) fn load() -> Result<f64> {
    let path = "/proc/loadavg";
    let text = fs::read_to_string(path).at(path)?;
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().map_err(|_| Error::new("no number").at(path))
}

fn date() -> Result<String> {
    Ok(run(Command::new("date").args(["-u", "+%F"]))?.trim().to_owned())
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    model.map_or(std::env::consts::ARCH, |(_, model)| model).to_owned()
}

fn versions() -> String {
    let first = |program: &str, arguments: &[&str]| {
        let text = run(Command::new(program).args(arguments)).unwrap_or_default();
        text.lines().next().unwrap_or("none").trim().to_owned()
    };
    format!(
        "{}; gcc {}; wasm2c {}",
        first("clang-19", &["--version"]),
        first("gcc", &["-dumpfullversion"]),
        first("wasm2c", &["--version"])
    )
}
