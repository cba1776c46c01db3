/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_POPULATE_H
#define _ASM_WASM_POPULATE_H

#include <linux/types.h>

struct vm_area_struct;

/*
 * If memory beside `address` has been written to in order, makes as much of
 * what follows at once. Returns whether it has made the page at `address`.
 * The caller holds the lock of the mm or of the vma for reading.
 */
bool populate_ahead(struct vm_area_struct *vma, unsigned long address);

#endif
