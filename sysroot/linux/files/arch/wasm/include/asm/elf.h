/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_ELF_H
#define _ASM_WASM_ELF_H

#include <linux/elf-em.h>
#include <asm/ptrace.h>

/* No program is in ELF; its numbers name register sets (ptrace, seccomp). */
#define EM_WASM		0x4157
#define ELF_ARCH	EM_WASM
#define ELF_CLASS	ELFCLASS32
#define ELF_DATA	ELFDATA2LSB

#define ELF_NGREG	(sizeof(struct user_regs_struct) / sizeof(elf_greg_t))
typedef unsigned long elf_greg_t;
typedef elf_greg_t elf_gregset_t[ELF_NGREG];
typedef unsigned long elf_fpregset_t;

#define elf_check_arch(header)	0
#define ELF_EXEC_PAGESIZE	PAGE_SIZE
#define ELF_ET_DYN_BASE		(TASK_SIZE / 3 * 2)
#define ELF_HWCAP		0
#define ELF_PLATFORM		NULL

#endif
