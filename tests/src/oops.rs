//! The kernel's own faults. Nothing in a guest causes one, so the test does: it writes a bad pointer
//! into the memory of the running machine from outside.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::{Child, Stdio};

use linnet_abi::memory::SLOT_SIZE;
use linnet_build::{At as _, Error, Result, Target};

use crate::{Test, guest, machine};

/// The kernel's static data lie below.
const STATIC_DATA: usize = 32 << 20;
/// Offset of `action_msg` in `struct sysrq_key_op` (include/linux/sysrq.h).
const ACTION: u32 = 8;

pub(crate) fn tests(target: Target) -> Vec<Test> {
    // What is written in place of the pointer to the operation of a sysrq key, and what is said.
    let cases = [
        ("null-pointer", 4, "kernel NULL pointer dereference"),
        ("wild-pointer", 0xffff_0000, "kernel paging request at virtual address ffff000"),
    ];
    cases
        .into_iter()
        .map(|(name, pointer, message)| -> Test {
            let name = format!("oops::{name}-names-functions-and-ends-only-the-process");
            (name, Box::new(move || Ok(oops(target, pointer, message)?)))
        })
        .collect()
}

fn oops(target: Target, pointer: u32, message: &str) -> Result<()> {
    let script = "echo ready; read go; (echo c > /proc/sysrq-trigger); echo status $?";
    let binary = guest::binary(target)?;
    let mut machine = machine::command(target, binary)?
        .args(["--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .at(binary.display())?;
    let said = converse(&mut machine, pointer);
    // It may have ended already.
    let _ = machine.kill();
    let _ = machine.wait();
    let (output, console) = said?;
    for part in [message, "Oops: ", "write_sysrq_trigger", "vfs_write", "linnet_syscall"] {
        if !console.contains(part) {
            return Err(Error::new(format!("no {part:?} in\n{console}")));
        }
    }
    // 128 and the number of SIGSEGV.
    if output == "status 139\n" { Ok(()) } else { Err(Error::new(output)) }
}

/// What the shell says after its child's end, and what the console says.
fn converse(machine: &mut Child, pointer: u32) -> Result<(String, String)> {
    let missing = || Error::new("not a pipe");
    let mut input = machine.stdin.take().ok_or_else(missing)?;
    let mut output = BufReader::new(machine.stdout.take().ok_or_else(missing)?);
    let mut ready = String::new();
    output.read_line(&mut ready).at("standard output")?;
    replace_operation(machine.id(), b"Trigger a crash\0", pointer)?;
    input.write_all(b"\n").at("standard input")?;
    let mut rest = String::new();
    output.read_to_string(&mut rest).at("standard output")?;
    let mut console = String::new();
    let mut stderr = machine.stderr.take().ok_or_else(missing)?;
    stderr.read_to_string(&mut console).at("standard error")?;
    Ok((rest, console))
}

/// Writes `pointer` where the kernel's table of sysrq keys points to the operation with that message.
fn replace_operation(process: u32, message: &[u8], pointer: u32) -> Result<()> {
    let base = kernel_memory(process)?;
    let path = format!("/proc/{process}/mem");
    let memory = OpenOptions::new().read(true).write(true).open(&path).at(&path)?;
    let data = read(&memory, base).at(&path)?;
    let text = data.windows(message.len()).position(|window| window == message);
    let entry = text
        .and_then(|text| word(&data, text as u32))
        .and_then(|action| word(&data, action as u32 - ACTION))
        .ok_or_else(|| Error::new("the table of sysrq keys was not found"))?;
    memory.write_all_at(&pointer.to_le_bytes(), base + entry as u64).at(&path)
}

/// Host address of the kernel's memory: the first slot that has a part of the RAM in it.
fn kernel_memory(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/maps");
    let maps = std::fs::read_to_string(&path).at(&path)?;
    let address = maps.lines().find(|line| line.contains("/memfd:")).and_then(|line| {
        let (start, _) = line.split_once('-')?;
        u64::from_str_radix(start, 16).ok()
    });
    let address = address.ok_or_else(|| Error::new(format!("no RAM in {path}")))?;
    Ok(address / SLOT_SIZE * SLOT_SIZE)
}

/// The kernel's static data as far as they are mapped: the zero page is not.
fn read(memory: &File, base: u64) -> std::io::Result<Vec<u8>> {
    const CHUNK: usize = 4096;
    let mut data = vec![0; STATIC_DATA];
    for offset in (0..STATIC_DATA).step_by(CHUNK) {
        match memory.read_exact_at(&mut data[offset..][..CHUNK], base + offset as u64) {
            Err(error) if error.raw_os_error() != Some(EIO) => return Err(error),
            _ => {}
        }
    }
    Ok(data)
}

const EIO: i32 = 5;

/// Address of the first aligned word that holds `value`.
fn word(data: &[u8], value: u32) -> Option<usize> {
    data.chunks_exact(4).position(|bytes| bytes == value.to_le_bytes()).map(|index| 4 * index)
}
