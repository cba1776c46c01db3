/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_COREDUMP_H
#define _ASM_WASM_COREDUMP_H

struct coredump_params;

/* For struct linux_binfmt. Returns 1 if all of it was written. */
int dump_core(struct coredump_params *cprm);

#endif
