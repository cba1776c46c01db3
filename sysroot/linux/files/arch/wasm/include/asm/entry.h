/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_ENTRY_H
#define _ASM_WASM_ENTRY_H

#include <linux/types.h>

struct pt_regs;

/*
 * Does what must be done before user code runs again. Returns true if a signal
 * handler will run first.
 */
bool exit_to_user(struct pt_regs *regs);

/* Delivers a signal if one is pending: sets up its handler, or dies of it. */
void deliver_signal(struct pt_regs *regs);

/* Puts back what deliver_signal() saved. Returns false if that is lost. */
bool restore_sigframe(struct pt_regs *regs, unsigned long ucontext);

/* irq_deliver() for interrupts that came while user code ran. */
void irq_deliver_user(struct pt_regs *regs);

#endif
