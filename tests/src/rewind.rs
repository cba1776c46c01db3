//! Machines that keep snapshots of themselves, and go back to one.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use linnet_build::{At as _, Result, host};
use rustix::process::Signal;

use crate::freeze::{Place, check, command, has_status, run};
use crate::{Test, machine};

const LIMIT: Duration = Duration::from_secs(40);

pub(crate) fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for (name, test) in [
        ("machine-that-crashed-runs-again-from-before", crashed as fn() -> Result<()>),
        ("only-the-last-snapshots-are-kept", kept),
        ("machine-that-begins-anew-keeps-its-snapshots", restart),
        ("what-cannot-be-rewound-is-refused", refused),
    ] {
        tests.push((format!("rewind::{name}"), Box::new(move || Ok(test()?))));
    }
    tests
}

/// Counts, and ends badly at a number that is reached some snapshots later.
const CRASHES: &str = "n=0; while [ $n -lt 40 ]; do n=$((n+1)); echo $n; sleep 0.1; done; exit 9";

fn crashed() -> Result<()> {
    let place = Place::new("rewind-crashed")?;
    let file = place.path("snapshot");
    let options = ["--freeze-to", &file, "--snapshots", "3"];
    let ended = run(host()?, &[&options[..], &["--", "sh", "-c", CRASHES]].concat())?;
    has_status(&ended, 9)?;
    let all: Vec<&str> = ended.output.lines().collect();
    check(all.len() == 40, || ended.output.clone())?;
    let mut counts = Vec::new();
    for back in ["", ",2", ",0"] {
        let ended = run(host()?, &["--rewind", &format!("{file}{back}")])?;
        has_status(&ended, 9)?;
        // It says what it had not said when it was frozen, and no more.
        let again: Vec<&str> = ended.output.lines().collect();
        check(all.ends_with(&again), || ended.output.clone())?;
        counts.push(again.len());
    }
    check(counts[0] < counts[1] && counts[0] == counts[2], || format!("{counts:?}"))
}

/// More snapshots than there are files for. The guest asks for them, so that it takes no time.
fn kept() -> Result<()> {
    let place = Place::new("rewind-kept")?;
    let file = place.path("snapshot");
    let script = "for n in 1 2 3 4 5; do freeze; done; N=6; freeze --exit; echo $N";
    let options = ["--freeze-to", &file, "--snapshots", "2,every=86400"];
    has_status(&run(host()?, &[&options[..], &["--", "sh", "-c", script]].concat())?, 0)?;
    let names: Vec<bool> = (1..=3)
        .map(|n| fs::metadata(format!("{file}.{n}")).is_ok_and(|file| file.len() > 0))
        .collect();
    check(names == [true, true, false], || format!("{names:?}"))?;
    let ended = run(host()?, &["--rewind", &file])?;
    check(ended.output == "6\n", || ended.output.clone())?;
    // The one before it makes the last one again.
    let next = place.path("next");
    let ended = run(host()?, &["--rewind", &format!("{file},1"), "--freeze-to", &next])?;
    has_status(&ended, 0)?;
    let ended = run(host()?, &["--resume", &next])?;
    check(ended.output == "6\n", || ended.output.clone())?;
    let ended = run(host()?, &["--rewind", &format!("{file},2")])?;
    has_status(&ended, 73)?;
    check(ended.output.contains("not so many snapshots"), || ended.output.clone())?;
    // A machine that goes on from a kept one keeps its own in the same files.
    let again = ["--rewind", &file, "--freeze-to", &file, "--snapshots", "2,every=86400"];
    let ended = run(host()?, &again)?;
    check(ended.output == "6\n", || ended.output.clone())
}

fn restart() -> Result<()> {
    let place = Place::new("rewind-restart")?;
    let file = place.path("snapshot");
    let script = "freeze; echo up; sleep 0.1; reboot -f; sleep 9";
    let mut machine = command(host()?)?
        .args(["--freeze-to", &file, "--snapshots", "2", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .at("machine")?;
    // Only a machine that has begun anew makes a second one.
    // The header comes last.
    let is_whole =
        |n| fs::read(format!("{file}.{n}")).is_ok_and(|bytes| bytes.starts_with(b"LINNETSN"));
    let both = || (1..=2).all(is_whole);
    let until = Instant::now() + LIMIT;
    while !both() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    machine::signal(&machine, Signal::KILL)?;
    machine.wait().at("machine")?;
    check(both(), || "there are no two snapshots".to_owned())?;
    // What it has when it is killed is whole.
    for back in 0..2 {
        let mut again = command(host()?)?;
        again.args(["--rewind", &format!("{file},{back}")]).stdin(Stdio::null());
        let (reader, writer) = std::io::pipe().at("pipe")?;
        let mut child = again.stdout(writer).spawn().at("machine")?;
        drop(again);
        let mut line = String::new();
        let read = std::io::BufRead::read_line(&mut std::io::BufReader::new(reader), &mut line);
        machine::signal(&child, Signal::KILL)?;
        child.wait().at("machine")?;
        read.at("machine")?;
        check(line == "up\n", || line.clone())?;
    }
    Ok(())
}

fn refused() -> Result<()> {
    let place = Place::new("rewind-refused")?;
    let (file, disk) = (place.path("snapshot"), place.path("disk"));
    fs::write(&disk, vec![0; 1 << 20]).at(&disk)?;
    let keeps = ["--freeze-to", &file, "--snapshots", "2"];
    let ended = run(host()?, &[&keeps[..], &["--disk", &disk, "--", "true"]].concat())?;
    has_status(&ended, 2)?;
    check(ended.output.contains("cannot be rewound\nhint: "), || ended.output.clone())?;
    let read_only = format!("{disk},ro");
    has_status(&run(host()?, &[&keeps[..], &["--disk", &read_only, "--", "true"]].concat())?, 0)?;
    for options in [
        &["--snapshots", "2"][..],
        &["--migrate-to", "unix:x", "--snapshots", "2"],
        &["--rewind", "x", "--resume", "x"],
        &["--rewind", "x", "--", "true"],
    ] {
        let ended = run(host()?, options)?;
        has_status(&ended, 2)?;
        check(ended.output.contains("\nhint: "), || ended.output.clone())?;
    }
    let ended = run(host()?, &["--rewind", &place.path("missing")])?;
    has_status(&ended, 73)?;
    check(ended.output.contains("\nhint: "), || ended.output.clone())
}
