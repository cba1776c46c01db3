/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_WASM_SIGCONTEXT_H
#define _UAPI_ASM_WASM_SIGCONTEXT_H

/* The members are those of struct user_regs_struct. */
struct sigcontext {
	unsigned long long args[6];
	unsigned long long ret;
	unsigned long nr;
	unsigned long sp;
	unsigned long tls;
	unsigned long pc;
	unsigned long oldmask;
};

#endif
