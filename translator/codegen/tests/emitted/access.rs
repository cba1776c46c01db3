//! Which instructions access the linear memory.

use crate::disassembly::Line;
use linnet_codegen::Target;
use std::collections::HashSet;

/// What an instruction does to the linear memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    pub load: bool,
    pub store: bool,
}

/// An operand in memory: its base register, and what happens to it.
struct Operand<'l> {
    base: &'l str,
    access: Access,
}

/// For each line its access of the linear memory. Accesses of the stack and of the context are none.
pub fn accesses(target: Target, lines: &[Line]) -> Vec<Access> {
    let (context, others): (_, &[&str]) = match target {
        Target::X86_64 => ("rdi", &["rsp", "rbp", "rip"]),
        Target::Aarch64 => ("x0", &["sp", "x29", "fp"]),
        Target::Riscv64 => ("a0", &["sp", "s0", "fp"]),
    };
    // Registers that hold other addresses, first the context's. Tests are short: code is read as it lies.
    let mut elsewhere = HashSet::from([context.to_owned()]);
    let mut found = Vec::new();
    for line in lines {
        let operand = operand(target, line);
        let is_heap = operand
            .as_ref()
            .is_some_and(|o| !others.contains(&o.base) && !elsewhere.contains(o.base));
        found.push(operand.filter(|_| is_heap).map(|o| o.access).unwrap_or_default());

        let mut operands = line.operands.split(", ");
        let (Some(to), from) = (operands.next(), operands.next().unwrap_or_default()) else {
            continue;
        };
        let is_copy = matches!(line.mnemonic.as_str(), "mov" | "mv") && elsewhere.contains(from);
        // The code's own address: its constants are there.
        if is_copy || line.mnemonic == "auipc" {
            elsewhere.insert(to.to_owned());
        } else if writes_first_operand(target, &line.mnemonic) {
            elsewhere.remove(&whole_register(target, to));
        }
    }
    found
}

fn operand(target: Target, line: &Line) -> Option<Operand<'_>> {
    let mnemonic = line.mnemonic.as_str();
    let between = |open, close: &[char]| {
        let start = line.operands.find(open)?;
        let rest = &line.operands[start + 1..];
        Some((start, &rest[..rest.find(close)?]))
    };
    let access = |load, store| Access { load, store };
    let (base, access) = match target {
        Target::X86_64 => {
            if mnemonic.starts_with("lea") || mnemonic.starts_with("nop") {
                return None;
            }
            let (at, base) = between('[', &[' ', ']'])?;
            let is_first = !line.operands[..at].contains(',');
            let access = if !is_first
                || mnemonic.starts_with("cmp")
                || mnemonic == "test"
                || mnemonic == "call"
            {
                access(true, false)
            } else {
                access(!mnemonic.starts_with("mov"), true)
            };
            (base, access)
        }
        Target::Aarch64 => {
            let base = between('[', &[',', ']'])?.1;
            (base, access(mnemonic.starts_with("ld"), mnemonic.starts_with("st")))
        }
        Target::Riscv64 => {
            let base = between('(', &[')'])?.1;
            let family = mnemonic.split('.').next().unwrap_or_default();
            let load = matches!(
                family,
                "lb" | "lbu" | "lh" | "lhu" | "lw" | "lwu" | "ld" | "flw" | "fld" | "lr"
            );
            let store = matches!(family, "sb" | "sh" | "sw" | "sd" | "fsw" | "fsd" | "sc");
            let both = family.starts_with("amo");
            (base, access(load || both, store || both))
        }
    };
    Some(Operand { base, access })
}

fn writes_first_operand(target: Target, mnemonic: &str) -> bool {
    let others: &[&str] = match target {
        Target::X86_64 => &["cmp", "test", "push", "j"],
        Target::Aarch64 => &["cmp", "tst", "st", "cb", "tb", "b"],
        Target::Riscv64 => &["sb", "sh", "sw", "sd", "fs", "b", "j"],
    };
    !others.iter().any(|o| mnemonic.starts_with(o))
}

/// The 64-bit register that a narrow one is a part of.
fn whole_register(target: Target, register: &str) -> String {
    match target {
        Target::X86_64 => match register.strip_prefix('e') {
            Some(name) => format!("r{name}"),
            None => register.trim_end_matches('d').to_owned(),
        },
        Target::Aarch64 => match register.strip_prefix('w') {
            Some(number) => format!("x{number}"),
            None => register.to_owned(),
        },
        Target::Riscv64 => register.to_owned(),
    }
}
