// SPDX-License-Identifier: GPL-2.0
#include <linux/syscalls.h>
#include <asm/syscall.h>
#include <asm/syscall_wrapper.h>
#include <asm/unistd.h>

/* The unit of the last argument is 4096 bytes, whatever the page size is. */
#define MMAP2_SHIFT	12

SYSCALL_DEFINE6(mmap2, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, unsigned long, off)
{
	if (off & (BIT(PAGE_SHIFT - MMAP2_SHIFT) - 1))
		return -EINVAL;
	return ksys_mmap_pgoff(addr, len, prot, flags, fd, off >> (PAGE_SHIFT - MMAP2_SHIFT));
}

/* A handler returns through the runtime and linnet_sigreturn(). */
SYSCALL_DEFINE0(rt_sigreturn)
{
	return -ENOSYS;
}

static long ni_syscall(const struct pt_regs *regs)
{
	return -ENOSYS;
}
#define __wasm_sys_ni_syscall ni_syscall

#define __SYSCALL_WITH_COMPAT(nr, native, compat)	__SYSCALL(nr, native)

#undef __SYSCALL
#define __SYSCALL(nr, call)	long __wasm_##call(const struct pt_regs *regs);
#include <asm/syscall_table_32.h>
__SYSCALL(__NR_settimeofday, sys_settimeofday)

#undef __SYSCALL
#define __SYSCALL(nr, call)	[nr] = __wasm_##call,
const sys_call_ptr_t sys_call_table[__NR_syscalls] = {
	[0 ... __NR_syscalls - 1] = ni_syscall,
#include <asm/syscall_table_32.h>
	__SYSCALL(__NR_settimeofday, sys_settimeofday)
};
