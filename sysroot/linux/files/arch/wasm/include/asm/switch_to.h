/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SWITCH_TO_H
#define _ASM_WASM_SWITCH_TO_H

#include <asm/linnet_abi.h>

void linnet_release_dead(struct task_struct *prev);

#define switch_to(prev, next, last)					\
do {									\
	(last) = (struct task_struct *)host_switch_to((unsigned long)(prev), \
						      (unsigned long)(next)); \
	linnet_release_dead(last);						\
} while (0)

#endif
