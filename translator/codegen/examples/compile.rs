//! compile IN.wasm OUT.o PREFIX [--polls] [--frames] [--target T]

use linnet_codegen::{Options, Target, translate};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, prefix, flags @ ..] = args.as_slice() else {
        return Err("usage: compile IN.wasm OUT.o PREFIX [--polls] [--frames] [--target T]".into());
    };
    let target = match flags.iter().position(|f| f == "--target") {
        Some(i) => flags.get(i + 1).and_then(|t| Target::from_name(t)).ok_or("unknown target")?,
        None => Target::X86_64,
    };
    let polls = flags.iter().any(|f| f == "--polls");
    let frames = flags.iter().any(|f| f == "--frames");
    let wasm = std::fs::read(input)?;
    let options = Options { polls, frames, ..Options::linux(target, prefix) };
    let object = match translate(&wasm, &options) {
        Ok(object) => object,
        Err(e) => {
            eprintln!("error: {input}: {e}");
            if let Some(hint) = e.hint_text() {
                eprintln!("hint: {hint}");
            }
            std::process::exit(1);
        }
    };
    std::fs::write(output, &object.bytes)?;
    let s = object.stats;
    let seconds = (s.read + s.compile + s.emit).as_secs_f64();
    println!(
        "{} functions, {} -> {} bytes of code; read {:.3} compile {:.3} emit {:.3} s; {:.2} MB/s, {:.0} functions/s",
        s.functions,
        wasm.len(),
        s.code_size,
        s.read.as_secs_f64(),
        s.compile.as_secs_f64(),
        s.emit.as_secs_f64(),
        wasm.len() as f64 / 1e6 / seconds,
        s.functions as f64 / seconds
    );
    Ok(())
}
