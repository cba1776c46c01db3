/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_FAULT_H
#define _ASM_WASM_FAULT_H

#include <linux/mm_types.h>
#include <asm/processor.h>

struct pt_regs;

static inline bool is_user_address(unsigned long address)
{
	return address >= TASK_START && address < TASK_SIZE;
}

/* User code touched a page that is not in the TLB: fill it in, or send a signal. */
void handle_user_fault(unsigned long address, bool write, struct pt_regs *regs);

/* The kernel wants a page of the current mm. Returns false if it cannot be had. */
bool fault_in_user_page(unsigned long address, bool write);

/* The kernel touched an address that is not mapped. Returns true if it is now. */
bool handle_kernel_fault(unsigned long address, bool write);

/*
 * The entry of an address in the current mm, locked, if the page is there and
 * may be accessed so; else NULL.
 */
pte_t *user_pte_lock(unsigned long address, bool write, spinlock_t **ptl);

/* Gives code the page of a locked entry, and the pages after it that are the same. */
void tlb_fill(struct mm_struct *mm, unsigned long address, pte_t *ptep, unsigned int count);

/* Code will access that address soon: gives it the page if it is there. */
void tlb_expect(struct mm_struct *mm, unsigned long address);

/* The same as tlb_fill() for one page that code could only read before. */
void tlb_allow_write(struct mm_struct *mm, unsigned long address, pte_t *ptep);

#endif
