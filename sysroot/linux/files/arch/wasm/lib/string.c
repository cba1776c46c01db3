// SPDX-License-Identifier: GPL-2.0
/* Each of these is one instruction: memory.copy or memory.fill. */
#include <linux/export.h>
#include <linux/string.h>
#include <linux/types.h>

#undef memcpy
#undef memmove
#undef memset

void *memcpy(void *to, const void *from, size_t size)
{
	return __builtin_memcpy(to, from, size);
}
EXPORT_SYMBOL(memcpy);

void *memmove(void *to, const void *from, size_t size)
{
	return __builtin_memmove(to, from, size);
}
EXPORT_SYMBOL(memmove);

void *memset(void *to, int value, size_t size)
{
	return __builtin_memset(to, value, size);
}
EXPORT_SYMBOL(memset);
