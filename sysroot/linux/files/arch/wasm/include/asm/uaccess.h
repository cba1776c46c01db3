/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_UACCESS_H
#define _ASM_WASM_UACCESS_H

#include <linux/string.h>
#include <linux/types.h>

/* See mm/uaccess.c. */
unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long __clear_user(void __user *to, unsigned long n);
#define __clear_user __clear_user
long strncpy_from_user(char *dst, const char __user *src, long count);
long strnlen_user(const char __user *str, long n);

int __get_user_size(void *to, const void __user *from, size_t size);
int __put_user_size(void __user *to, const void *from, size_t size);
#define __get_user_fn(size, from, to)	__get_user_size(to, from, size)
#define __put_user_fn(size, to, from)	__put_user_size(to, from, size)

/* Nothing faults that is not known beforehand to be missing. */
bool kernel_address_mapped(const void *address, size_t size);

#define __get_kernel_nofault(dst, src, type, label)			\
do {									\
	if (!kernel_address_mapped((src), sizeof(type)))		\
		goto label;						\
	*(type *)(dst) = *(const type *)(src);				\
} while (0)
#define __put_kernel_nofault(dst, src, type, label)			\
do {									\
	if (!kernel_address_mapped((dst), sizeof(type)))		\
		goto label;						\
	*(type *)(dst) = *(const type *)(src);				\
} while (0)

#include <asm-generic/uaccess.h>

#endif
