/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_DELAY_H
#define _ASM_WASM_DELAY_H

void __delay(unsigned long nanoseconds);
void __udelay(unsigned long microseconds);

#define ndelay(n)	__delay(n)
#define udelay(n)	__udelay(n)

#endif
