/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SYSCALL_WRAPPER_H
#define _ASM_WASM_SYSCALL_WRAPPER_H

/*
 * Every entry of the table has the type long (const struct pt_regs *), so that
 * one type of indirect call serves them all. Arguments are slots of 64 bits: a
 * loff_t takes one.
 */
struct pt_regs;

#define __SC_WASM_ARG(type, arg)	arg
#define __SC_WASM_REGS_TO_ARGS(x)					\
	__MAP(x, __SC_WASM_ARG						\
	      ,, regs->args[0],, regs->args[1],, regs->args[2]		\
	      ,, regs->args[3],, regs->args[4],, regs->args[5])

#define __SYSCALL_DEFINEx(x, name, ...)					\
	long __wasm_sys##name(const struct pt_regs *regs);		\
	ALLOW_ERROR_INJECTION(__wasm_sys##name, ERRNO);			\
	static long __se_sys##name(__MAP(x, __SC_LONG, __VA_ARGS__));	\
	static inline long __do_sys##name(__MAP(x, __SC_DECL, __VA_ARGS__)); \
	long __wasm_sys##name(const struct pt_regs *regs)		\
	{								\
		return __se_sys##name(__SC_WASM_REGS_TO_ARGS(x));	\
	}								\
	static long __se_sys##name(__MAP(x, __SC_LONG, __VA_ARGS__))	\
	{								\
		long ret = __do_sys##name(__MAP(x, __SC_CAST, __VA_ARGS__)); \
		__MAP(x, __SC_TEST, __VA_ARGS__);			\
		__PROTECT(x, ret, __MAP(x, __SC_ARGS, __VA_ARGS__));	\
		return ret;						\
	}								\
	static inline long __do_sys##name(__MAP(x, __SC_DECL, __VA_ARGS__))

#define SYSCALL_DEFINE0(sname)						\
	SYSCALL_METADATA(_##sname, 0);					\
	long __wasm_sys_##sname(const struct pt_regs *__unused);	\
	ALLOW_ERROR_INJECTION(__wasm_sys_##sname, ERRNO);		\
	long __wasm_sys_##sname(const struct pt_regs *__unused)

#define COND_SYSCALL(name)						\
	long __weak __wasm_sys_##name(const struct pt_regs *regs);	\
	long __weak __wasm_sys_##name(const struct pt_regs *regs)	\
	{								\
		return -ENOSYS;						\
	}

/* The generic one is assembly of ELF. */
#define COND_SYSCALL_COMPAT(name)

#endif
