/* As musl's own, and syscall() as a macro. A variadic function does not see the types of its arguments, which
 * lie in memory at their own sizes; the macro gives each the 64 bits that it has on its way to the kernel. */
#ifndef _SYS_SYSCALL_H
#define _SYS_SYSCALL_H

#include <bits/syscall.h>

/* C++ has a template in <unistd.h>, and libc itself a macro of its own. */
#if !defined(__cplusplus) && !defined(weak_alias)

/* What it declares has to come before the macro. */
#include <unistd.h>
#include <bits/syscall_slots.h>

#define __SYSCALL_SLOT(x) ((long long)(x))
#define __SYSCALL0(n) \
	__syscall_slots(n, 0, 0, 0, 0, 0, 0)
#define __SYSCALL1(n,a) \
	__syscall_slots(n, __SYSCALL_SLOT(a), 0, 0, 0, 0, 0)
#define __SYSCALL2(n,a,b) \
	__syscall_slots(n, __SYSCALL_SLOT(a), __SYSCALL_SLOT(b), 0, 0, 0, 0)
#define __SYSCALL3(n,a,b,c) \
	__syscall_slots(n, __SYSCALL_SLOT(a), __SYSCALL_SLOT(b), __SYSCALL_SLOT(c), 0, 0, 0)
#define __SYSCALL4(n,a,b,c,d) \
	__syscall_slots(n, __SYSCALL_SLOT(a), __SYSCALL_SLOT(b), __SYSCALL_SLOT(c), __SYSCALL_SLOT(d), 0, 0)
#define __SYSCALL5(n,a,b,c,d,e) \
	__syscall_slots(n, __SYSCALL_SLOT(a), __SYSCALL_SLOT(b), __SYSCALL_SLOT(c), __SYSCALL_SLOT(d), \
		__SYSCALL_SLOT(e), 0)
#define __SYSCALL6(n,a,b,c,d,e,f) \
	__syscall_slots(n, __SYSCALL_SLOT(a), __SYSCALL_SLOT(b), __SYSCALL_SLOT(c), __SYSCALL_SLOT(d), \
		__SYSCALL_SLOT(e), __SYSCALL_SLOT(f))
#define __SYSCALL_PICK(n,a,b,c,d,e,f,name,...) name
#define syscall(...) __SYSCALL_PICK(__VA_ARGS__, __SYSCALL6, __SYSCALL5, __SYSCALL4, __SYSCALL3, __SYSCALL2, \
	__SYSCALL1, __SYSCALL0,)(__VA_ARGS__)

#endif
#endif
