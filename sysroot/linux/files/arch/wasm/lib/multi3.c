// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>

__int128 __multi3(__int128 a, __int128 b);

/* What clang calls for a 128-bit product, as in a checked 64-bit one. */
__int128 __multi3(__int128 a, __int128 b)
{
	u64 a_lo = a, a_hi = (unsigned __int128)a >> 64;
	u64 b_lo = b, b_hi = (unsigned __int128)b >> 64;
	u64 a0 = (u32)a_lo, a1 = a_lo >> 32;
	u64 b0 = (u32)b_lo, b1 = b_lo >> 32;
	u64 p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
	u64 middle = (p00 >> 32) + (u32)p01 + (u32)p10;
	u64 lo = (u32)p00 | middle << 32;
	u64 hi = p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);

	hi += a_lo * b_hi + a_hi * b_lo;
	return (unsigned __int128)hi << 64 | lo;
}
