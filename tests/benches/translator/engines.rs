//! The compilers that are compared: how they build the programs and how these are run.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use linnet_build::{At as _, Builder, Error, Files, Result, Sdk, System, host};

use crate::programs::{Program, Sources, here, run};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    Clang,
    Gcc,
    Linnet,
    /// With the vector instructions of WebAssembly.
    LinnetSimd,
    /// Ready to have its frames captured, which never happens.
    LinnetFrames,
    Wasm2c,
    Wasmtime,
    WasmtimeSimd,
}

impl Engine {
    pub(crate) const ALL: [Engine; 8] = [
        Engine::Clang,
        Engine::Gcc,
        Engine::Linnet,
        Engine::LinnetSimd,
        Engine::LinnetFrames,
        Engine::Wasm2c,
        Engine::Wasmtime,
        Engine::WasmtimeSimd,
    ];
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Clang => "clang",
            Engine::Gcc => "gcc",
            Engine::Linnet => "Linnet",
            Engine::LinnetSimd => "Linnet, vectors",
            Engine::LinnetFrames => "Linnet, frames",
            Engine::Wasm2c => "wasm2c + gcc",
            Engine::Wasmtime => "wasmtime",
            Engine::WasmtimeSimd => "wasmtime, vectors",
        })
    }
}

/// For programs of WASI: what `linnet cc` has, but for threads and exceptions.
const WASI: [&str; 6] = [
    "--target=wasm32-wasi",
    "--sysroot=/usr",
    "-mbulk-memory",
    "-mmutable-globals",
    "-msign-ext",
    "-mnontrapping-fptoint",
];
const STACK: &str = "-Wl,-z,stack-size=1048576";

const COMMON: [&str; 3] = ["-O2", "-DNDEBUG", "-w"];
const SIMD: &str = "-msimd128";
const MUSL_HEADERS: [&str; 3] = ["-nostdlibinc", "-isystem", "/usr/include/x86_64-linux-musl"];

/// Where wasm2c's own C file lies in Debian's package.
pub(crate) const WASM2C: &str = "/usr/share/wabt/wasm2c";

/// Where the programs lie in the guest.
const PLACE: &str = "bench";

/// A run that takes longer hangs.
const LIMIT: &str = "120";

pub(crate) struct Engines {
    work: PathBuf,
    sdk: Sdk,
    /// The boot binary with the programs.
    guest: PathBuf,
    /// The same with `--frames`.
    guest_with_frames: PathBuf,
    /// Engines that can't be built here, with the reason.
    pub(crate) missing: Vec<(Engine, String)>,
}

impl Engines {
    /// Builds all programs for all engines, or for those that are chosen.
    pub(crate) fn build(
        builder: &Builder,
        work: &Path,
        programs: &[&Program],
        chosen: &[&str],
    ) -> Result<Self> {
        fs::create_dir_all(work).at(work.display())?;
        let sdk = builder.sdk()?;
        let mut engines = Engines {
            work: work.to_path_buf(),
            sdk,
            guest: PathBuf::new(),
            guest_with_frames: PathBuf::new(),
            missing: Vec::new(),
        };
        for engine in Engine::ALL.into_iter().filter(|engine| *engine != Engine::Clang) {
            let name = engine.to_string();
            let is_chosen = name.rsplit(", ").next().is_some_and(|name| chosen.contains(&name));
            if !chosen.is_empty() && !is_chosen {
                engines.missing.push((engine, "not chosen".to_owned()));
            }
        }
        for (engine, needed) in [
            (Engine::Gcc, "/usr/bin/musl-gcc"),
            (Engine::Wasm2c, WASM2C),
            (Engine::Wasm2c, "/usr/lib/wasm32-wasi/libc.a"),
            (Engine::Wasmtime, "/usr/lib/wasm32-wasi/libc.a"),
        ] {
            if !Path::new(needed).exists() {
                engines.leave_out(engine, format!("there is no {needed}"));
            }
        }
        if engines.has(Engine::Wasmtime)
            && let Err(error) = engines.python()
        {
            engines.leave_out(Engine::Wasmtime, error.to_string());
        }
        let mut files = Files::default();
        for program in programs {
            eprintln!("building {}", program.name);
            let sources = program.sources(builder, work)?;
            for engine in Engine::ALL.into_iter().filter(|engine| engines.has(*engine)) {
                engines.program(engine, program, &sources)?;
            }
            let own = [Engine::Linnet, Engine::LinnetSimd];
            for engine in own.into_iter().filter(|engine| engines.has(*engine)) {
                let name = format!("{PLACE}/{}", file_name(engine, program));
                files.add(&name, &engines.file(engine, program, "wasm"))?;
            }
        }
        let mut system = System::with(files);
        engines.guest = builder.boot_binary_of(host()?, &system)?;
        if engines.has(Engine::LinnetFrames) {
            system.frames = true;
            engines.guest_with_frames = builder.boot_binary_of(host()?, &system)?;
        }
        Ok(engines)
    }

    fn leave_out(&mut self, engine: Engine, why: String) {
        let also = (engine == Engine::Wasmtime).then_some(Engine::WasmtimeSimd);
        for engine in [Some(engine), also].into_iter().flatten() {
            if self.has(engine) {
                self.missing.push((engine, why.clone()));
            }
        }
    }

    pub(crate) fn has(&self, engine: Engine) -> bool {
        !self.missing.iter().any(|(missing, _)| *missing == engine)
    }

    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn file(&self, engine: Engine, program: &Program, extension: &str) -> PathBuf {
        self.work.join(file_name(engine, program)).with_extension(extension)
    }

    /// Python with wasmtime's package, in a directory of its own.
    pub(crate) fn python(&self) -> Result<PathBuf> {
        let place = self.work.join("python");
        let python = place.join("bin/python");
        if !place.join("done").exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "wasmtime"]))?;
            fs::write(place.join("done"), "").at(place.display())?;
        }
        Ok(python)
    }

    /// The module that wasm2c and wasmtime get.
    fn wasi(&self, engine: Engine, program: &Program, sources: &Sources) -> Result<PathBuf> {
        let module = self.file(engine, program, "wasm");
        let mut clang = Command::new("clang-19");
        clang.args(WASI).args(COMMON).arg(format!("-I{}", here().join("wasi").display()));
        if engine == Engine::WasmtimeSimd {
            clang.arg(SIMD);
        }
        let mut linker = Command::new("clang-19");
        self.make(&clang, linker.args(WASI).arg(STACK), sources, &module)?;
        Ok(module)
    }

    fn program(&self, engine: Engine, program: &Program, sources: &Sources) -> Result<()> {
        let file = self.file(engine, program, "");
        match engine {
            Engine::Clang => {
                let mut clang = Command::new("clang-19");
                clang.args(COMMON).args(MUSL_HEADERS);
                // The C library is musl on all engines.
                self.make(&clang, Command::new("musl-gcc").arg("-static"), sources, &file)
            }
            Engine::Gcc => {
                let mut gcc = Command::new("musl-gcc");
                self.make(gcc.args(COMMON), Command::new("musl-gcc").arg("-static"), sources, &file)
            }
            Engine::Linnet | Engine::LinnetSimd => {
                let mut clang = self.sdk.compiler();
                clang.args(COMMON);
                if engine == Engine::LinnetSimd {
                    clang.arg(SIMD);
                }
                self.make(&clang, &mut self.sdk.compiler(), sources, &file.with_extension("wasm"))
            }
            // The same modules.
            Engine::LinnetFrames => Ok(()),
            Engine::Wasm2c => {
                let module = self.wasi(engine, program, sources)?;
                let place = self.file(engine, program, "w2c");
                fs::create_dir_all(&place).at(place.display())?;
                if newer(&file, &[module.clone(), here().join("wasi/wasm2c.c")]) {
                    return Ok(());
                }
                let c = place.join("module.c");
                let mut wasm2c = Command::new("wasm2c");
                run(wasm2c.args(["-n", "module"]).arg(&module).arg("-o").arg(&c))?;
                let mut gcc = Command::new("gcc");
                gcc.args(["-O2", "-w", "-I"]).arg(&place).arg("-I").arg(WASM2C).arg(&c);
                gcc.arg(here().join("wasi/wasm2c.c")).arg(format!("{WASM2C}/wasm-rt-impl.c"));
                run(gcc.arg("-o").arg(&file).arg("-lm")).map(drop)
            }
            Engine::Wasmtime | Engine::WasmtimeSimd => {
                let module = self.wasi(engine, program, sources)?;
                if newer(&file, std::slice::from_ref(&module)) {
                    return Ok(());
                }
                let mut python = Command::new(self.python()?);
                python.arg(here().join("wasi/run.py")).arg("--compile");
                run(python.arg(&module).arg(&file)).map(drop)
            }
        }
    }

    /// Compiles each source by itself, unless that was done, and links them. Programs and engines share
    /// what is compiled in the same way.
    fn make(
        &self,
        compiler: &Command,
        linker: &mut Command,
        sources: &Sources,
        file: &Path,
    ) -> Result<()> {
        let place = self.work.join("objects");
        fs::create_dir_all(&place).at(place.display())?;
        let mut objects = Vec::new();
        for source in &sources.files {
            let mut command = Command::new(compiler.get_program());
            command.args(compiler.get_args()).args(&sources.flags).arg("-c").arg(source);
            let mut hasher = DefaultHasher::new();
            format!("{command:?}").hash(&mut hasher);
            let object = place.join(format!("{:016x}.o", hasher.finish()));
            if !newer(&object, &[source.clone(), here().join("program.h")]) {
                run(command.arg("-o").arg(&object))?;
            }
            objects.push(object);
        }
        if newer(file, &objects) {
            return Ok(());
        }
        run(linker.args(&objects).arg("-o").arg(file).arg("-lm")).map(drop)
    }

    /// Runs a program: nanoseconds, and the sum of what it calculated.
    pub(crate) fn run(&self, engine: Engine, program: &Program) -> Result<(f64, String)> {
        let file = self.file(engine, program, "");
        let mut command = Command::new("timeout");
        command.arg(LIMIT);
        match engine {
            Engine::Clang | Engine::Gcc | Engine::Wasm2c => command.arg(&file),
            Engine::Linnet | Engine::LinnetSimd => {
                command.arg(&self.guest).args(["--cpus", "1", "--", &place(engine, program)])
            }
            Engine::LinnetFrames => {
                let name = place(Engine::Linnet, program);
                command.arg(&self.guest_with_frames).args(["--cpus", "1", "--", &name])
            }
            Engine::Wasmtime | Engine::WasmtimeSimd => {
                let script = here().join("wasi/run.py");
                command.arg(self.python()?).arg(script).arg(&file)
            }
        };
        let text = run(&mut command).map_err(|error| error.at(program.name).at(engine))?;
        let result = text.trim_end().split_once(' ');
        let result = result.and_then(|(time, sum)| Some((time.parse().ok()?, sum.to_owned())));
        result
            .ok_or_else(|| Error::new(format!("no result in {text:?}")).at(program.name).at(engine))
    }
}

/// In the guest.
fn place(engine: Engine, program: &Program) -> String {
    format!("/{PLACE}/{}", file_name(engine, program))
}

fn file_name(engine: Engine, program: &Program) -> String {
    format!("{}-{}", program.name, engine.to_string().replace([' ', ',', '+'], "").to_lowercase())
}

fn newer(file: &Path, inputs: &[PathBuf]) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let made: Option<SystemTime> = time(file);
    made.is_some_and(|made| inputs.iter().all(|input| time(input).is_some_and(|t| t <= made)))
}
