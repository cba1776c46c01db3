//! Threads, files, processes and panics.
use std::process::Command;
use std::sync::mpsc;
use std::{env, fs, io, panic, thread};

fn main() -> io::Result<()> {
    println!("Hello from {} on {}", env::consts::OS, env::consts::ARCH);

    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (1..=4u64)
        .map(|n| {
            let sender = sender.clone();
            thread::spawn(move || sender.send((1..=n * 1000).sum::<u64>()))
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread ended well").expect("someone listens");
    }
    drop(sender);
    println!("threads: {}", receiver.iter().sum::<u64>());

    fs::write("/tmp/hello", "written by Rust\n")?;
    print!("file: {}", fs::read_to_string("/tmp/hello")?);
    println!("length: {}", fs::metadata("/tmp/hello")?.len());

    let output =
        Command::new("tr").args(["a-z", "A-Z"]).stdin(fs::File::open("/tmp/hello")?).output()?;
    print!("process: {}", String::from_utf8_lossy(&output.stdout));

    let caught = panic::catch_unwind(|| {
        let numbers = [1, 2, 3];
        let index = env::args().count() + 5;
        numbers[index]
    });
    println!("panic caught: {}", caught.is_err());
    Ok(())
}
