//! What is in a snapshot of a machine.

use std::collections::HashMap;

use linnet_frames::record::Record;
use linnet_snapshot::{NONE, Snapshot, Task, machine, task as word};

use crate::digest::Digest;
use crate::error::{Error, Result};

/// A machine that was frozen.
#[derive(Debug)]
pub struct Machine {
    /// SHA-256 of the kernel's module.
    pub kernel: Digest,
    /// Bytes of guest memory, and how many of them are in the snapshot.
    pub memory: u64,
    pub used: u64,
    pub vcpus: u64,
    /// Seconds that it had run, without its sleep.
    pub age: u64,
    /// Seconds since 1970 when it was frozen.
    pub time: u64,
    /// Bytes of each disk.
    pub disks: Vec<u64>,
    pub has_network: bool,
    pub tasks: Vec<FrozenTask>,
}

/// One of its tasks.
#[derive(Debug)]
pub struct FrozenTask {
    /// What Linux calls it, if that can be found.
    pub name: String,
    /// SHA-256 of its program's module; none for a task of the kernel.
    pub program: Option<Digest>,
    /// Names of functions, the innermost first: in the kernel, and in the program.
    pub kernel_frames: Vec<String>,
    pub user_frames: Vec<String>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Machine> {
    let wrong = |error: linnet_snapshot::Error| Error::new(error.to_string());
    let (snapshot, mut pages) = Snapshot::of_file(bytes).map_err(wrong)?;
    let mut memory = Vec::new();
    for run in snapshot.runs() {
        let (stored, rest) = pages.split_at(run.stored);
        pages = rest;
        let mut bytes = vec![0; run.size];
        let damaged = |_| Error::new(format!("the memory at {:#x} is damaged", run.offset));
        run.unpack(stored, &mut bytes).map_err(damaged)?;
        memory.push((run.offset, bytes));
    }
    let names = snapshot.names().map(|n| ((n.module, n.function), n.name)).collect();
    let comm = find_comm(&snapshot, &memory);
    let tasks = snapshot.tasks().map(|task| {
        Ok(FrozenTask {
            name: comm
                .and_then(|at| name_at(&memory, task.word(word::ID) + at))
                .unwrap_or_default(),
            program: match task.word(word::PROGRAM) {
                NONE => None,
                n => usize::try_from(n).ok().and_then(|n| snapshot.program(n)).map(Digest),
            },
            kernel_frames: frames(task.kernel_record, &snapshot.kernel(), 0, &names)?,
            user_frames: user_frames(&snapshot, &task, &names)?,
        })
    });
    Ok(Machine {
        kernel: Digest(snapshot.kernel()),
        memory: snapshot.memory(),
        used: snapshot.runs().map(|run| run.size as u64).sum(),
        vcpus: snapshot.machine(machine::VCPUS),
        age: snapshot.machine(machine::MONOTONIC) / 1_000_000_000,
        time: snapshot.machine(machine::REALTIME) / 1_000_000_000,
        disks: (0..linnet_snapshot::DISKS).map_while(|n| snapshot.disk(n)).collect(),
        has_network: snapshot.machine(machine::NETWORK) != 0,
        tasks: tasks.collect::<Result<_>>()?,
    })
}

type Names<'s> = HashMap<(u32, u32), &'s str>;

fn user_frames(snapshot: &Snapshot<'_>, task: &Task<'_>, names: &Names<'_>) -> Result<Vec<String>> {
    let program = task.word(word::PROGRAM);
    let Some(id) = usize::try_from(program).ok().and_then(|n| snapshot.program(n)) else {
        return Ok(Vec::new());
    };
    frames(task.user_record, &id, (program as u32).wrapping_add(1), names)
}

/// Names of a record's frames, the innermost first.
fn frames(record: &[u8], id: &[u8; 32], module: u32, names: &Names<'_>) -> Result<Vec<String>> {
    if record.is_empty() {
        return Ok(Vec::new());
    }
    let record = Record::new(record, id).map_err(|error| Error::new(error.to_string()))?;
    let mut frames: Vec<String> = record
        .frames()
        .filter_map(|frame| {
            let function = frame.function?;
            let name = names.get(&(module, function)).filter(|name| !name.is_empty());
            Some(name.map_or_else(|| format!("function {function}"), |name| (*name).to_owned()))
        })
        .collect();
    frames.reverse();
    Ok(frames)
}

/// Parts of guest memory, upwards.
type Memory = [(u64, Vec<u8>)];

/// Bytes of guest memory, as far as they lie in one part.
fn bytes(memory: &Memory, address: u64, size: usize) -> Option<&[u8]> {
    let n = memory.partition_point(|(offset, _)| *offset <= address).checked_sub(1)?;
    let (offset, bytes) = &memory[n];
    let at = usize::try_from(address - offset).ok()?;
    bytes.get(at..at.saturating_add(size).min(bytes.len()))
}

/// Where a `task_struct` has its name: where that of the first task has "swapper".
fn find_comm(snapshot: &Snapshot<'_>, memory: &Memory) -> Option<u64> {
    const LARGEST: usize = 8192;
    const FIRST: &[u8] = b"swapper/0\0";
    snapshot.tasks().find_map(|task| {
        let bytes = bytes(memory, task.word(word::ID), LARGEST)?;
        bytes.windows(FIRST.len()).position(|window| window == FIRST).map(|at| at as u64)
    })
}

/// A name of up to 15 bytes in guest memory.
fn name_at(memory: &Memory, address: u64) -> Option<String> {
    let bytes = bytes(memory, address, 16)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Some(String::from_utf8_lossy(&bytes[..end]).chars().filter(|c| !c.is_control()).collect())
}
