//! The kernel's own unit tests, which run when the debug kernel boots if it is told so, and tell their
//! results in its log as [KTAP](https://docs.kernel.org/dev-tools/ktap.html).

use linnet_build::{Builder, Error, KernelVersion, Result, System, host};

use crate::sides::{Side, Sides};
use crate::{Outcome, Results};

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let mut system = System { kernel: KernelVersion::default().debug(), ..System::default() };
    system.add_arguments("kunit.enable=1");
    let binary = builder.boot_binary_of(host()?, &system)?;
    let log = sides.run("kunit", Side::Guest(&binary), &["dmesg", "-r"], &[])?;
    let guest = read(&log);
    if guest.is_empty() {
        return Err(Error::new("the kernel told no result").at("kunit"));
    }
    let expected = guest.keys().map(|name| (name.clone(), true)).collect();
    Ok(Outcome { expected, guest })
}

/// Results of the tests of each suite; what was skipped is left out. A line is indented by four
/// spaces in a suite, and by eight if it is about one parameter of a test.
fn read(log: &str) -> Results {
    let mut results = Results::new();
    let mut suite = "";
    for line in log.lines() {
        // <LEVEL>[ TIME] TEXT
        let Some((_, line)) = line.split_once("] ") else { continue };
        let Some(line) = line.strip_prefix("    ") else { continue };
        if let Some(name) = line.strip_prefix("# Subtest: ") {
            suite = name;
            continue;
        }
        let (result, passed) = match line.strip_prefix("not ") {
            Some(rest) => (rest, false),
            None => (line, true),
        };
        let Some(result) = result.strip_prefix("ok ") else { continue };
        let Some((_, name)) = result.split_once(' ') else { continue };
        if !name.contains("# SKIP") {
            results.insert(format!("{suite}: {name}"), passed);
        }
    }
    results
}
