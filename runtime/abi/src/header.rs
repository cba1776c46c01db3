//! The kernel's C header, printed from the tables.

use crate::{boot, calls, calls::Call, clock, exec, irq, memory};
use core::fmt::{self, Display, Formatter};
use core::mem::offset_of;

/// Displays as `arch/wasm/include/asm/linnet_abi.h`.
#[derive(Debug, Clone, Copy)]
pub struct KernelHeader;

fn c_type(name: &str) -> &'static str {
    match name {
        "ptr" => "unsigned long",
        "u64" => "unsigned long long",
        "i32" => "int",
        _ => "unsigned int",
    }
}

fn prototype(
    f: &mut Formatter<'_>,
    call: &Call,
    attribute: &str,
    module: Option<&str>,
) -> fmt::Result {
    for line in call.doc {
        writeln!(f, "/*{line} */")?;
    }
    write!(f, "{attribute}(")?;
    if let Some(module) = module {
        write!(f, "\"{module}\", ")?;
    }
    writeln!(f, "\"{}\")", call.name)?;
    let prefix = if module.is_some() { "host" } else { "linnet" };
    write!(f, "{} {prefix}_{}(", call.result.map_or("void", c_type), call.name)?;
    if call.params.is_empty() {
        write!(f, "void")?;
    }
    for (i, (name, ty)) in call.params.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        write!(f, "{comma}{} {name}", c_type(ty))?;
    }
    writeln!(f, ");\n")
}

impl Display for KernelHeader {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "/* SPDX-License-Identifier: GPL-2.0 OR MIT */")?;
        writeln!(f, "/* Generated from runtime/abi; do not edit. */")?;
        writeln!(f, "#ifndef _ASM_WASM_LINNET_ABI_H\n#define _ASM_WASM_LINNET_ABI_H\n")?;
        writeln!(f, "#define LINNET_ABI_VERSION {}\n", crate::ABI_VERSION)?;
        for (name, value) in [
            ("IRQ_STRIDE", irq::STRIDE),
            ("IRQ_TIMER", irq::TIMER),
            ("IRQ_RESCHEDULE", irq::RESCHEDULE),
            ("IRQ_CALL", irq::CALL),
            ("IRQ_STOP", irq::STOP),
            ("IRQ_DEVICE_SHIFT", irq::DEVICE_SHIFT),
            ("IRQ_DEVICE_LINES", irq::DEVICE_LINES),
            ("IRQ_LINE_STDIO", irq::LINE_STDIO),
            ("IRQ_LINE_VIRTIO", irq::LINE_VIRTIO),
            ("IRQ_LINE_SHUTDOWN", irq::LINE_SHUTDOWN),
            ("IRQ_LINE_FREEZE", irq::LINE_FREEZE),
            ("PROT_READ", memory::PROT_READ),
            ("PROT_WRITE", memory::PROT_WRITE),
            ("PROT_SAME", memory::PROT_SAME),
            ("NULL_GUARD", memory::NULL_GUARD as u32),
            ("LARGE_PAGE", memory::LARGE_PAGE as u32),
            ("EXEC_HEADER_OFFSET", exec::HEADER_OFFSET as u32),
            ("EXEC_IMAGE_ALIGN", exec::IMAGE_ALIGN),
        ] {
            writeln!(f, "#define LINNET_{name} {value}")?;
        }
        writeln!(f, "#define LINNET_EXEC_SECTION \"{}\"\n", exec::SECTION)?;

        writeln!(f, "#ifndef __ASSEMBLY__\n#include <linux/types.h>\n")?;
        writeln!(f, "struct linnet_exec {{\n\tu8 id[32];")?;
        for (name, offset) in [
            ("abi_version", offset_of!(exec::ExecHeader, abi_version)),
            ("image_address", offset_of!(exec::ExecHeader, image_address)),
            ("image_offset", offset_of!(exec::ExecHeader, image_offset)),
            ("image_size", offset_of!(exec::ExecHeader, image_size)),
            ("memory_end", offset_of!(exec::ExecHeader, memory_end)),
            ("heap_base", offset_of!(exec::ExecHeader, heap_base)),
        ] {
            writeln!(f, "\t__le32 {name};\t/* offset {offset} */")?;
        }
        writeln!(f, "\t__le32 reserved[2];\n}};\n")?;
        writeln!(f, "struct linnet_clocks {{")?;
        for (ty, name, offset) in [
            ("u32", "sequence", offset_of!(clock::Clocks, sequence)),
            ("u32", "multiplier", offset_of!(clock::Clocks, multiplier)),
            ("u32", "shift", offset_of!(clock::Clocks, shift)),
            ("u32", "reserved", offset_of!(clock::Clocks, reserved)),
            ("u64", "cycle_last", offset_of!(clock::Clocks, cycle_last)),
            ("u64", "remainder", offset_of!(clock::Clocks, remainder)),
        ] {
            writeln!(f, "\t{ty} {name};\t/* offset {offset} */")?;
        }
        let (count, offset) = (clock::CLOCKS, offset_of!(clock::Clocks, base));
        writeln!(f, "\tu64 base[{count}];\t/* offset {offset} */\n}};\n")?;

        writeln!(f, "struct linnet_start {{")?;
        for (name, offset) in [
            ("size", offset_of!(boot::Start, size)),
            ("input_is_terminal", offset_of!(boot::Start, input_is_terminal)),
            ("console", offset_of!(boot::Start, console)),
        ] {
            writeln!(f, "\tu32 {name};\t/* offset {offset} */")?;
        }
        let (size, offset) = (boot::START_SIZE, offset_of!(boot::Start, text));
        writeln!(f, "\tchar text[{size} - {offset}];\t/* offset {offset} */\n}};\n")?;

        writeln!(f, "enum linnet_trap {{")?;
        for trap in crate::trap::Trap::ALL {
            writeln!(f, "\tLINNET_TRAP_{trap:?} = {},\t/* {} */", *trap as u8, trap.message())?;
        }
        writeln!(f, "}};\n#define LINNET_TRAP_MESSAGES {{ \\")?;
        for trap in crate::trap::Trap::ALL {
            writeln!(f, "\t[{}] = \"{}\", \\", *trap as u8, trap.message())?;
        }
        writeln!(f, "}}\n")?;

        writeln!(f, "#define __host_call(module, name) \\")?;
        writeln!(f, "\t__attribute__((import_module(module), import_name(name)))")?;
        writeln!(f, "#define __host_entry(name) __attribute__((export_name(name), used))\n")?;
        writeln!(f, "/* Host calls: kernel to runtime. */\n")?;
        for call in calls::HOST_CALLS {
            prototype(f, call, "__host_call", Some(calls::HOST_MODULE))?;
        }
        writeln!(f, "/* Orderings: no calls, see runtime/abi/src/calls.rs. */\n")?;
        for name in calls::BARRIERS {
            writeln!(f, "__host_call(\"{}\", \"{name}\")", calls::HOST_MODULE)?;
            writeln!(f, "void host_{name}(void);\n")?;
        }
        writeln!(f, "/* Entries: runtime to kernel. */\n")?;
        for call in calls::KERNEL_ENTRIES {
            prototype(f, call, "__host_entry", None)?;
        }
        writeln!(f, "#endif\n#endif")
    }
}
