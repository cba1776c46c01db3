//! How large a boot binary is, and what takes the room.

use std::fs;
use std::process::Command;

use linnet_build::{At as _, Builder, Error, Result, System, Target};

/// The cells of one target's row.
pub(crate) fn row(builder: &Builder, target: Target) -> Result<Vec<String>> {
    let build = |strip, compress| {
        let system = System { strip, compress, ..System::default() };
        let binary = builder.boot_binary_of(target, &system)?;
        let size = fs::metadata(&binary).at(binary.display())?.len();
        Ok::<_, Error>((binary, size))
    };
    let (_, whole) = build(false, false)?;
    let (stripped, small) = build(true, false)?;
    let (_, compressed) = build(false, true)?;

    let output = Command::new("llvm-size-19").args(["-A", "-d"]).arg(&stripped).output();
    let output = output.at("llvm-size-19")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let section = |name: &str| {
        let size = text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next()?.parse::<u64>().ok())?
        });
        size.ok_or_else(|| Error::new(format!("no section {name}")).at(stripped.display()))
    };
    let (code, tables) = (section(".text")?, section(".data.rel.ro")?);
    let other = small.saturating_sub(code + tables);
    let mut cells = vec![target.name().to_owned()];
    let sizes = [whole, small, compressed, code, tables, other];
    cells.extend(sizes.map(|size| format!("{:.1}", size as f64 / 1e6)));
    Ok(cells)
}
