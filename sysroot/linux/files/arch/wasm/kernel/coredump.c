// SPDX-License-Identifier: GPL-2.0
/*
 * Core files: ELF for 32 bits, with the memory, of what the process died, and of
 * each thread the registers that ptrace shows. Frames of translated code lie on
 * the host's stacks and are not in it.
 */
#include <linux/binfmts.h>
#include <linux/coredump.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/mm.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <asm/coredump.h>
#include <asm/linnet_abi.h>

struct note_header {
	Elf32_Nhdr header;
	char name[8];
};

struct thread_note {
	struct note_header header;
	struct elf_prstatus status;
};

struct signal_note {
	struct note_header header;
	siginfo_t info;
};

/* What a note is about lies right behind its name. */
static_assert(offsetof(struct thread_note, status) == sizeof(struct note_header));
static_assert(offsetof(struct signal_note, info) == sizeof(struct note_header));

static struct note_header note_header(unsigned int type, size_t size)
{
	return (struct note_header) {
		.header = { .n_namesz = sizeof("CORE"), .n_descsz = size, .n_type = type },
		.name = "CORE",
	};
}

static int dump_thread(struct coredump_params *cprm, struct task_struct *task)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	struct thread_note note = {
		.header = note_header(NT_PRSTATUS, sizeof(note.status)),
		.status.common = {
			.pr_info.si_signo = cprm->siginfo->si_signo,
			.pr_info.si_code = cprm->siginfo->si_code,
			.pr_info.si_errno = cprm->siginfo->si_errno,
			.pr_cursig = cprm->siginfo->si_signo,
			.pr_sigpend = task->pending.signal.sig[0],
			.pr_sighold = task->blocked.sig[0],
			.pr_pid = task_pid_vnr(task),
			.pr_pgrp = task_pgrp_vnr(task),
			.pr_sid = task_session_vnr(task),
		},
	};

	rcu_read_lock();
	note.status.common.pr_ppid = task_tgid_vnr(rcu_dereference(task->real_parent));
	rcu_read_unlock();
	regset_get(task, &view->regsets[0], sizeof(note.status.pr_reg), &note.status.pr_reg);
	return dump_emit(cprm, &note, sizeof(note));
}

static int dump_notes(struct coredump_params *cprm)
{
	struct signal_note note = { .header = note_header(NT_SIGINFO, sizeof(note.info)) };

	/* Whoever died comes first. */
	for (struct core_thread *thread = &current->signal->core_state->dumper; thread;
	     thread = thread->next)
		if (!dump_thread(cprm, thread->task))
			return 0;
	copy_siginfo_to_external(&note.info, cprm->siginfo);
	return dump_emit(cprm, &note, sizeof(note));
}

static size_t size_of_notes(void)
{
	size_t size = sizeof(struct signal_note);

	for (struct core_thread *thread = &current->signal->core_state->dumper; thread;
	     thread = thread->next)
		size += sizeof(struct thread_note);
	return size;
}

static Elf32_Word segment_flags(unsigned long vm_flags)
{
	return (vm_flags & VM_READ ? PF_R : 0) | (vm_flags & VM_WRITE ? PF_W : 0) |
	       (vm_flags & VM_EXEC ? PF_X : 0);
}

static int dump_headers(struct coredump_params *cprm, size_t memory)
{
	Elf32_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELF_CLASS, ELF_DATA, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = ELF_ARCH,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = cprm->vma_count + 1,
	};
	Elf32_Phdr segment = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(header) + header.e_phnum * sizeof(segment),
		.p_filesz = size_of_notes(),
		.p_align = 4,
	};

	if (!dump_emit(cprm, &header, sizeof(header)) || !dump_emit(cprm, &segment, sizeof(segment)))
		return 0;
	segment.p_type = PT_LOAD;
	segment.p_offset = memory;
	segment.p_align = PAGE_SIZE;
	for (int i = 0; i < cprm->vma_count; i++) {
		const struct core_vma_metadata *vma = &cprm->vma_meta[i];

		segment.p_vaddr = vma->start;
		segment.p_filesz = vma->dump_size;
		segment.p_memsz = vma->end - vma->start;
		segment.p_flags = segment_flags(vma->flags);
		if (!dump_emit(cprm, &segment, sizeof(segment)))
			return 0;
		segment.p_offset += vma->dump_size;
	}
	return 1;
}

int dump_core(struct coredump_params *cprm)
{
	size_t memory = PAGE_ALIGN(sizeof(Elf32_Ehdr) +
				   (cprm->vma_count + 1) * sizeof(Elf32_Phdr) + size_of_notes());

	/* As many as the header can count. */
	if (cprm->vma_count + 1 >= PN_XNUM)
		return 0;
	current_pt_regs()->sp = host_user_sp(0);
	if (!dump_headers(cprm, memory) || !dump_notes(cprm))
		return 0;
	dump_skip_to(cprm, memory);
	for (int i = 0; i < cprm->vma_count; i++) {
		const struct core_vma_metadata *vma = &cprm->vma_meta[i];

		if (!dump_user_range(cprm, vma->start, vma->dump_size))
			return 0;
	}
	return 1;
}
