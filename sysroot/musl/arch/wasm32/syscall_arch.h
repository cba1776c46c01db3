/* Arguments travel in 64-bit slots, so a 64-bit offset takes one slot. */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define __scc(X) sizeof(1?(X):0ULL) < 8 ? (unsigned long) (X) : (long long) (X)
typedef long long syscall_arg_t;

#define IMPORTED(n) __attribute__((__import_module__("linux"), __import_name__(#n)))

hidden long long __import_syscall(int nr, long long, long long, long long,
	long long, long long, long long) IMPORTED(syscall);
/* The same, and names the place: see src/thread/wasm32/syscall_cp.c */
hidden long long __import_syscall_cp(const void *pc, int nr, long long, long long, long long,
	long long, long long, long long) IMPORTED(syscall_cp);
/* Return twice: the runtime duplicates the caller's frames. */
hidden int __import_fork(void) IMPORTED(fork);
hidden int __import_vfork(void) IMPORTED(vfork);
/* New task: fn(arg) runs on an empty native stack; its result is the exit status. */
hidden int __import_clone(int (*fn)(void *), void *arg, void *stack, unsigned flags,
	void *ptid, void *tls, void *ctid) IMPORTED(clone);

/* Seconds above the lower 30 bits, nanoseconds in them; -1: only a system call can tell. */
hidden long long __import_clock(int id) IMPORTED(clock);

/* Keeps the caller's frames as those of `from`, unless that is 0, and goes on in `to`, or if that is 0 in
 * fn(arg) on the stack that ends at `stack`, or here. 0, or an error; 0 where `to` goes on. */
__attribute__((returns_twice)) hidden int __import_context_swap(const void *from, const void *to,
	int (*fn)(void *), void *arg, void *stack) IMPORTED(context_swap);
hidden void __import_context_drop(const void *which) IMPORTED(context_drop);

/* Calls a table entry with as many of the arguments as its type takes and drops its result. */
hidden void __import_call_handler(void *fn, int sig, void *info, void *uc) IMPORTED(call_handler);

/* Not system call numbers: libc's own sources name these, and get a function instead. */
#define SYS_fork (-1)
#define SYS_fstat (-2)
#define SYS_fstatat (-3)
hidden long __kstatat(int fd, const char *path, void *kstat, int flags);
#define CONSTANT_IS(n, nr) (__builtin_constant_p(n) && (n) == (nr))

static __inline long __syscall6(long long n, long long a, long long b, long long c, long long d, long long e, long long f)
{
	return __import_syscall(n, a, b, c, d, e, f);
}
static __inline long __syscall5(long long n, long long a, long long b, long long c, long long d, long long e)
{
	return __import_syscall(n, a, b, c, d, e, 0);
}
static __inline long __syscall4(long long n, long long a, long long b, long long c, long long d)
{
	if (CONSTANT_IS(n, SYS_fstatat))
		return __kstatat(a, (const char *)(unsigned long)b, (void *)(unsigned long)c, d);
	return __import_syscall(n, a, b, c, d, 0, 0);
}
static __inline long __syscall3(long long n, long long a, long long b, long long c)
{
	return __import_syscall(n, a, b, c, 0, 0, 0);
}
static __inline long __syscall2(long long n, long long a, long long b)
{
	if (CONSTANT_IS(n, SYS_fstat))
		return __kstatat(a, "", (void *)(unsigned long)b, 0x1000);
	return __import_syscall(n, a, b, 0, 0, 0, 0);
}
static __inline long __syscall1(long long n, long long a)
{
	return __import_syscall(n, a, 0, 0, 0, 0, 0);
}
static __inline long __syscall0(long long n)
{
	if (CONSTANT_IS(n, SYS_fork)) return __import_fork();
	return __import_syscall(n, 0, 0, 0, 0, 0, 0);
}

/* libc falls back to these when a newer call says ENOSYS, which it never does here. They are numbers
 * without a call behind them, and not visible to programs. */
#define SYS_getrlimit 163
#define SYS_setrlimit 164
#define SYS_nanosleep 101
#define SYS_gettimeofday 169
#define SYS_wait4 260

/* libc's sources name these by their plain names. */
#define SYS_clock_gettime SYS_clock_gettime64
#define SYS_clock_settime SYS_clock_settime64
#define SYS_clock_getres SYS_clock_getres_time64
#define SYS_clock_nanosleep SYS_clock_nanosleep_time64
#define SYS_timer_gettime SYS_timer_gettime64
#define SYS_timer_settime SYS_timer_settime64
#define SYS_timerfd_gettime SYS_timerfd_gettime64
#define SYS_timerfd_settime SYS_timerfd_settime64

/* The kernel has only the newer layout of the IPC structures and wants no flag that says so. */
#define IPC_64 0
