/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_WASM_PTRACE_H
#define _UAPI_ASM_WASM_PTRACE_H

#ifndef __ASSEMBLY__
/*
 * Code has no registers and no program counter. What the border of the kernel
 * knows is all there is: the system call and the shadow stack pointer.
 */
struct user_regs_struct {
	unsigned long long args[6];
	unsigned long long ret;
	unsigned long nr;	/* all ones: not in a system call */
	unsigned long sp;
	unsigned long tls;	/* not known to the kernel; 0 */
	unsigned long pc;	/* the place that syscall_cp was given, or 0 */
};
#endif

#endif
