/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SWITCH_TO_H
#define _ASM_WASM_SWITCH_TO_H

#include <asm/linnet_abi.h>

#define switch_to(prev, next, last)					\
	((last) = (struct task_struct *)host_switch_to((unsigned long)(prev), \
						       (unsigned long)(next)))

#endif
