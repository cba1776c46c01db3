// SPDX-License-Identifier: GPL-2.0
/*
 * User memory lies in other linear memories, which the kernel's code cannot
 * reach. It goes through the page tables to its own view of the same pages. A
 * page is locked while it is used, so that nothing faults on the way.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <asm/fault.h>
#include <asm/futex.h>
#include <asm/word-at-a-time.h>

struct user_page {
	void *address;	/* of the byte that was asked for, in the kernel's view */
	pte_t *ptep;
	spinlock_t *ptl;
};

static __always_inline bool lock_page_of(struct user_page *page, unsigned long address, bool write)
{
	pte_t pte, used;

	for (;;) {
		page->ptep = user_pte_lock(address, write, &page->ptl);
		if (likely(page->ptep))
			break;
		if (!fault_in_user_page(address, write))
			return false;
	}
	pte = READ_ONCE(*page->ptep);
	used = pte_mkyoung(pte);
	if (write)
		used = pte_mkdirty(used);
	if (unlikely(pte_val(used) != pte_val(pte)))
		set_pte(page->ptep, used);
	page->address = __va(pte_pfn(pte) << PAGE_SHIFT | (address & ~PAGE_MASK));
	return true;
}

static __always_inline void unlock_page_of(struct user_page *page)
{
	pte_unmap_unlock(page->ptep, page->ptl);
}

static __always_inline unsigned long bytes_in_page(unsigned long address, unsigned long limit)
{
	return min(limit, PAGE_SIZE - (address & ~PAGE_MASK));
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	unsigned long address = (unsigned long)from;
	struct user_page page;

	while (n) {
		unsigned long part = bytes_in_page(address, n);

		if (!lock_page_of(&page, address, false))
			break;
		memcpy(to, page.address, part);
		unlock_page_of(&page);
		to += part;
		address += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_from_user);

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	unsigned long address = (unsigned long)to;
	struct user_page page;

	while (n) {
		unsigned long part = bytes_in_page(address, n);

		if (!lock_page_of(&page, address, true))
			break;
		memcpy(page.address, from, part);
		unlock_page_of(&page);
		from += part;
		address += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_to_user);

unsigned long __clear_user(void __user *to, unsigned long n)
{
	unsigned long address = (unsigned long)to;
	struct user_page page;

	while (n) {
		unsigned long part = bytes_in_page(address, n);

		if (!lock_page_of(&page, address, true))
			break;
		memset(page.address, 0, part);
		unlock_page_of(&page);
		address += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(__clear_user);

/* Of 1, 2, 4 or 8 bytes: a load and a store. */
static __always_inline void copy_size(void *to, const void *from, size_t size)
{
	switch (size) {
	case 1:
		*(u8 *)to = *(const u8 *)from;
		break;
	case 2:
		__builtin_memcpy(to, from, 2);
		break;
	case 4:
		__builtin_memcpy(to, from, 4);
		break;
	default:
		__builtin_memcpy(to, from, 8);
	}
}

int __get_user_size(void *to, const void __user *from, size_t size)
{
	unsigned long address = (unsigned long)from;
	struct user_page page;

	if (unlikely(bytes_in_page(address, size) < size))
		return raw_copy_from_user(to, from, size) ? -EFAULT : 0;
	if (!lock_page_of(&page, address, false))
		return -EFAULT;
	copy_size(to, page.address, size);
	unlock_page_of(&page);
	return 0;
}
EXPORT_SYMBOL(__get_user_size);

int __put_user_size(void __user *to, const void *from, size_t size)
{
	unsigned long address = (unsigned long)to;
	struct user_page page;

	if (unlikely(bytes_in_page(address, size) < size))
		return raw_copy_to_user(to, from, size) ? -EFAULT : 0;
	if (!lock_page_of(&page, address, true))
		return -EFAULT;
	copy_size(page.address, from, size);
	unlock_page_of(&page);
	return 0;
}
EXPORT_SYMBOL(__put_user_size);

/* Copies at most `limit` bytes up to a zero. Returns how many came before it. */
static unsigned long copy_string(char *to, const char *from, unsigned long limit)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long done = 0;

	while (limit - done >= sizeof(unsigned long)) {
		unsigned long word = get_unaligned((const unsigned long *)(from + done)), zeros;

		put_unaligned(word, (unsigned long *)(to + done));
		if (has_zero(word, &zeros, &constants)) {
			zeros = prep_zero_mask(word, zeros, &constants);
			return done + find_zero(create_zero_mask(zeros));
		}
		done += sizeof(unsigned long);
	}
	while (done < limit) {
		to[done] = from[done];
		if (!to[done])
			break;
		done++;
	}
	return done;
}

long strncpy_from_user(char *dst, const char __user *src, long count)
{
	unsigned long address = (unsigned long)src;
	struct user_page page;
	long done = 0;

	while (done < count) {
		unsigned long part = bytes_in_page(address, count - done);
		unsigned long length;

		if (!lock_page_of(&page, address, false))
			return -EFAULT;
		length = copy_string(dst + done, page.address, part);
		unlock_page_of(&page);
		done += length;
		if (length < part)
			return done;
		address += part;
	}
	return done;
}
EXPORT_SYMBOL(strncpy_from_user);

long strnlen_user(const char __user *str, long n)
{
	unsigned long address = (unsigned long)str;
	struct user_page page;
	long done = 0;

	while (done < n) {
		unsigned long part = bytes_in_page(address, n - done);
		unsigned long length;

		if (!lock_page_of(&page, address, false))
			return 0;
		length = strnlen(page.address, part);
		unlock_page_of(&page);
		done += length;
		if (length < part)
			return done + 1;
		address += part;
	}
	return n + 1;
}
EXPORT_SYMBOL(strnlen_user);

/* A futex is aligned, so that it lies in one page. */
int futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr, u32 oldval, u32 newval)
{
	struct user_page page;

	if (!lock_page_of(&page, (unsigned long)uaddr, true))
		return -EFAULT;
	*uval = cmpxchg((u32 *)page.address, oldval, newval);
	unlock_page_of(&page);
	return 0;
}

int arch_futex_atomic_op_inuser(int op, int oparg, int *oval, u32 __user *uaddr)
{
	struct user_page page;
	int *futex;
	int err = 0;

	if (!lock_page_of(&page, (unsigned long)uaddr, true))
		return -EFAULT;
	futex = page.address;
	switch (op) {
	case FUTEX_OP_SET:
		*oval = __atomic_exchange_n(futex, oparg, __ATOMIC_SEQ_CST);
		break;
	case FUTEX_OP_ADD:
		*oval = __atomic_fetch_add(futex, oparg, __ATOMIC_SEQ_CST);
		break;
	case FUTEX_OP_OR:
		*oval = __atomic_fetch_or(futex, oparg, __ATOMIC_SEQ_CST);
		break;
	case FUTEX_OP_ANDN:
		*oval = __atomic_fetch_and(futex, ~oparg, __ATOMIC_SEQ_CST);
		break;
	case FUTEX_OP_XOR:
		*oval = __atomic_fetch_xor(futex, oparg, __ATOMIC_SEQ_CST);
		break;
	default:
		err = -ENOSYS;
	}
	unlock_page_of(&page);
	return err;
}
