/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_TIME_H
#define _ASM_WASM_TIME_H

/* The timer of this vCPU went off. */
void timer_interrupt(void);

/* Registers it. */
void clock_event_setup(void);

#endif
