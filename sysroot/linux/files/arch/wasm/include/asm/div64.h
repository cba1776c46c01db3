/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_DIV64_H
#define _ASM_WASM_DIV64_H

#include <linux/types.h>

/* A `long` has 32 bits, but there are instructions for 64. */

static __always_inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
	u64 quotient = dividend / divisor;

	*remainder = dividend - quotient * divisor;
	return quotient;
}
#define div_u64_rem div_u64_rem

static __always_inline u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	u64 quotient = dividend / divisor;

	*remainder = dividend - quotient * divisor;
	return quotient;
}
#define div64_u64_rem div64_u64_rem

static __always_inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}
#define div64_u64 div64_u64

#define do_div(n, base)				\
({						\
	u32 __remainder;			\
						\
	(n) = div_u64_rem(n, base, &__remainder); \
	__remainder;				\
})

/* That for do_div() of other machines is not needed. */
#define __div64_32

#endif
