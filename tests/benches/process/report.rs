//! The results as tables, and as a page of the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use linnet_build::{At as _, Error, Result};

use crate::systems::Which;
use crate::{ROUNDS, Results};

/// Work that one task does, and that two share.
const PARALLEL: [(&str, &str); 4] = [
    ("compute-1-process", "compute-2-processes"),
    ("compute-1-thread", "compute-2-threads"),
    ("touch-1-process", "touch-2-processes"),
    ("touch-1-thread", "touch-2-threads"),
];

const INTRODUCTION: &str = "\
# Benchmarks: processes

One C program measures the same things on the host, in the guest and under [User-Mode
Linux](https://docs.kernel.org/virt/uml/user_mode_linux_howto_v2.html), the other Linux that runs as
a program. Times are in nanoseconds, with the multiple of the host's time in parentheses: below 1
is faster than the host.
";

/// The measures themselves keep the machine busier than this for moments only.
const BUSY: f64 = 2.5;

const BUSY_NOTE: &str = "
The machine was busy with other work meanwhile, which lengthens some numbers of any column at
random and leaves no second CPU to gain from: these tables are for orientation.
";

const NOTES: &str = "
## What is measured

- All programs are static, use musl and are compiled with `-O2`: by clang for the guest, by gcc for
  the host and for User-Mode Linux.
- With one CPU, all systems are bound to the same CPU of the host; with two, to the same two. On
  an idle machine, waking a task on another CPU costs a wake-up of that CPU.
- `pipe`, `futex` and `tcp` round trips send one byte, or one wake-up, from one task to another and
  back. `sched-yield-pair` is one call in each of two threads.
- `...-16m` forks a process that has written to 16 MiB since the last fork.
- `first-touch-4k`, `copy-on-write-4k` and `munmap-touched-4k` are per 4 KiB of 16 MiB, whatever the
  page size. The guest's pages have 16 KiB.
- Files are in tmpfs.
- `compute` and `touch` are a fixed amount of work that one task does, or that two share. `touch`
  writes to each page of fresh memory and unmaps it.

## What limits it

Two processes that touch memory at once are hardly faster than one. All vCPUs are threads of one process of the
host. Its calls of `mmap` and `munmap` wait for each other, and `munmap` interrupts the other CPU and waits for it.
In a profile, the two calls take 54 % of the time with two vCPUs, and 24 % with one. Interrupts and waits for them
alone are 12 % to 18 %. Two threads of the host that touch memory gain nothing either. Tried on 2026-11-21 on two
CPUs:

- Larger pieces, in large pages of the host, and so fewer calls. Kept: in four interleaved runs on one CPU, before
  and after, `touch-1-process` took 4.2 and 2.6 ms, `munmap-touched-4k` 128 and 36 ns, `first-touch-4k` 318 and
  201 ns, `fork-exit-wait-16m` 208 and 132 us. A second CPU gives 1.0 to 1.07 times the speed.
- A spin lock of the runtime around `mmap` and `munmap`, so that no thread sleeps on the host's lock: no change,
  with and without large pages.
";

/// The number of tasks that are ready to run on this machine.
pub(crate) fn load() -> Result<f64> {
    let path = "/proc/loadavg";
    let text = fs::read_to_string(path).at(path)?;
    let first = text.split(' ').next().unwrap_or_default();
    first.parse().map_err(|_| Error::new("no number").at(path))
}

pub(crate) fn tables(results: &Results) -> String {
    let one = [Which::Guest(1), Which::Uml];
    let two = [Which::Guest(2)];
    let mut text = String::new();
    costs(&mut text, "With one CPU", results, Which::Native(1), &one);
    costs(&mut text, "With two CPUs", results, Which::Native(2), &two);
    speed_up(&mut text, results);
    text
}

fn costs(text: &mut String, title: &str, results: &Results, base: Which, others: &[Which]) {
    let measured =
        |which: &Which| results.measures.iter().any(|m| results.get(m, *which).is_some());
    let others: Vec<Which> = others.iter().copied().filter(measured).collect();
    if !measured(&base) {
        return;
    }
    let mut rows = vec![vec!["ns".to_owned(), name(base)]];
    rows[0].extend(others.iter().map(|which| name(*which)));
    for measure in &results.measures {
        let Some(host) = results.get(measure, base) else { continue };
        let mut row = vec![measure.clone(), number(host)];
        for which in &others {
            row.push(results.get(measure, *which).map_or(String::new(), |time| {
                format!("{} ({})", number(time), ratio(time / host))
            }));
        }
        rows.push(row);
    }
    table(text, title, &rows);
}

fn speed_up(text: &mut String, results: &Results) {
    let mut rows = vec![vec!["shared by two".to_owned(), "host".to_owned(), "guest".to_owned()]];
    for (alone, shared) in PARALLEL {
        let factor = |which| Some(results.get(alone, which)? / results.get(shared, which)?);
        if let (Some(host), Some(guest)) = (factor(Which::Native(2)), factor(Which::Guest(2))) {
            rows.push(vec![shared.to_owned(), format!("{host:.2}"), format!("{guest:.2}")]);
        }
    }
    if rows.len() > 1 {
        table(text, "Speed-up by a second CPU", &rows);
    }
}

fn name(which: Which) -> String {
    match which {
        Which::Native(_) => "host",
        Which::Guest(_) => "guest",
        Which::Uml => "User-Mode Linux",
    }
    .to_owned()
}

/// Three digits that count, with spaces between thousands.
fn number(time: f64) -> String {
    if time < 99.95 {
        return format!("{time:.1}");
    }
    let digits = format!("{time:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn ratio(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

/// A table in Markdown that is as good to read as text.
fn table(text: &mut String, title: &str, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let _ = writeln!(text, "\n## {title}\n");
    for (number, row) in rows.iter().enumerate() {
        let _ = write!(text, "| {:<1$} |", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, " {cell:>width$} |");
        }
        text.push('\n');
        if number == 0 {
            let _ = write!(text, "|:{}-|", "-".repeat(widths[0]));
            for width in &widths[1..] {
                let _ = write!(text, "-{}:|", "-".repeat(*width));
            }
            text.push('\n');
        }
    }
}

pub(crate) fn write_page(results: &Results, loads: &[f64], without: Option<&str>) -> Result<()> {
    let mut page = INTRODUCTION.to_owned();
    let least = loads.iter().copied().fold(f64::INFINITY, f64::min);
    let most = loads.iter().copied().fold(0.0, f64::max);
    let _ = writeln!(
        page,
        "\nMeasured on {} on {}, Linux {}, {} CPUs, transparent huge pages: {}; load {least:.1} to \
         {most:.1}. Each number is the median of {ROUNDS} runs, in which the systems took turns. \
         Made by\n\n```console\n$ cargo bench --package linnet-tests --bench process\n```",
        date()?,
        processor(),
        first_line("/proc/sys/kernel/osrelease"),
        std::thread::available_parallelism().map_or(1, usize::from),
        huge_pages(),
    );
    if least > BUSY {
        page += BUSY_NOTE;
    }
    page += &tables(results);
    if let Some(why) = without {
        let line = why.lines().next().unwrap_or_default();
        let _ = writeln!(page, "\nUser-Mode Linux is left out: {line}.");
    }
    page += NOTES;
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/benchmarks-process.md");
    fs::write(&path, page).at(path.display())
}

fn date() -> Result<String> {
    let output = Command::new("date").args(["-u", "+%F"]).output().at("date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    model.map_or(std::env::consts::ARCH, |(_, model)| model).to_owned()
}

/// The one in brackets of `always [madvise] never`.
fn huge_pages() -> String {
    let text = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
    let chosen = text.split('[').nth(1).and_then(|rest| rest.split(']').next());
    chosen.unwrap_or("none").to_owned()
}
