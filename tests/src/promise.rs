//! What the documentation promises about speed. The limits are wide: they catch a mistake, such as
//! work done again at every start, not a slow machine.

use std::process::Command;
use std::time::{Duration, Instant};

use linnet_build::{Error, Result};

use crate::machine;
use crate::{Test, cli, vm};

pub(crate) fn tests() -> Vec<Test> {
    let test = |name: &str, promise: fn() -> Result<()>| -> Test {
        (format!("promise::{name}"), Box::new(move || Ok(promise()?)))
    };
    vec![
        test("a-machine-boots-and-stops-in-a-second", boots_quickly),
        test("nothing-is-built-twice", nothing_is_built_twice),
    ]
}

fn boots_quickly() -> Result<()> {
    let binary = vm(linnet_build::host()?)?;
    within(Duration::from_secs(1), Command::new(binary).args(["--", "true"]))
}

fn nothing_is_built_twice() -> Result<()> {
    let linnet = cli::linnet()?;
    vm(linnet_build::host()?)?;
    within(Duration::from_millis(1500), Command::new(linnet).args(["boot", "--", "true"]))
}

fn within(limit: Duration, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let ended = machine::run(command, &[], Duration::from_secs(30))?;
    let took = started.elapsed();
    if !ended.status.is_some_and(|status| status.success()) {
        return Err(Error::new(format!("{:?}\n{}", ended.status, ended.output)));
    }
    if took > limit {
        return Err(Error::new(format!("took {took:?}, not {limit:?}")));
    }
    Ok(())
}
