// SPDX-License-Identifier: MIT OR Apache-2.0
// fork(2): the child has its parent's variables. On a machine that copies native stacks it must tell what is an
// address in them from what only looks like one. Here all kinds of values look like addresses of memories and
// stacks, wherever a process may have those, and are in all places where values are while a process forks.
#include "test.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

enum { DEEP = 96 };

static volatile int child; // Is this one?

static void fork_here(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	child = pid == 0;
}

// In the child, tells the parent; the parent sees whether that went well.
static void end(int wrong)
{
	if (child) _exit(wrong != 0);
	CHECK(!wrong);
	int status;
	CHECK(wait(&status) > 0 && passed(status));
}

// What the compiler can't know.
static volatile uint64_t starts[] = { 0x100000000000, 0x700000000000, 0x200000000 };
static volatile uint64_t steps[] = { 0x200000000, 0x1000000, 0x200000000 };
static volatile uint64_t offsets[] = { 0x1234, 0x7fff80, 0x20000 };

// Looks like an address in the n-th memory, in the n-th stack, or on a host with few addresses.
static uint64_t like(int kind, int n)
{
	return starts[kind] + n * steps[kind] + offsets[kind];
}

static double as_double(uint64_t word)
{
	double value;
	memcpy(&value, &word, sizeof value);
	return value;
}

static uint64_t as_word(double value)
{
	uint64_t word;
	memcpy(&word, &value, sizeof word);
	return word;
}

typedef uint64_t vector __attribute__((vector_size(16)));
typedef float half;

static half as_float(uint32_t word)
{
	half value;
	memcpy(&value, &word, sizeof value);
	return value;
}

static uint32_t as_half_word(half value)
{
	uint32_t word;
	memcpy(&word, &value, sizeof word);
	return word;
}

// Few enough for registers that calls keep.
__attribute__((noinline)) static int in_registers(int n, void (*then)(void))
{
	uint64_t a = like(0, n), b = like(1, n), c = like(2, n);
	int wrong = 0;
	if (n) wrong = in_registers(n - 1, then);
	else then();
	return wrong + (a != like(0, n)) + (b != like(1, n)) + (c != like(2, n));
}

// So many that most of them are in the frame, of all types.
__attribute__((noinline)) static int in_the_frame(int n, void (*then)(void))
{
	uint64_t a = like(0, n), b = like(1, n), c = like(2, n), d = a + 8, e = b + 8, f = c + 8;
	double g = as_double(like(0, n)), h = as_double(like(1, n)), i = as_double(like(2, n));
	vector j = { like(0, n), like(1, n) }, k = { like(2, n), like(0, n) };
	// Two halves side by side.
	uint32_t l = like(0, n), m = like(0, n) >> 32, o = like(1, n), p = like(1, n) >> 32;
	half q = as_float(like(0, n)), r = as_float(like(0, n) >> 32);
	int wrong = 0;
	if (n) wrong = in_the_frame(n - 1, then);
	else then();
	wrong += (a != like(0, n)) + (b != like(1, n)) + (c != like(2, n));
	wrong += (d != like(0, n) + 8) + (e != like(1, n) + 8) + (f != like(2, n) + 8);
	wrong += (as_word(g) != like(0, n)) + (as_word(h) != like(1, n)) + (as_word(i) != like(2, n));
	wrong += (j[0] != like(0, n)) + (j[1] != like(1, n)) + (k[0] != like(2, n)) + (k[1] != like(0, n));
	wrong += (l != (uint32_t)like(0, n)) + (m != like(0, n) >> 32);
	wrong += (o != (uint32_t)like(1, n)) + (p != like(1, n) >> 32);
	wrong += (as_half_word(q) != (uint32_t)like(0, n)) + (as_half_word(r) != like(0, n) >> 32);
	return wrong;
}

// So many that some are passed on the stack.
__attribute__((noinline)) static int in_arguments(int n, void (*then)(void), uint64_t a, uint64_t b, uint64_t c,
	uint64_t d, uint64_t e, uint64_t f, double g, uint64_t h, vector i, uint64_t j)
{
	int wrong = 0;
	if (n) {
		int m = n - 1;
		wrong = in_arguments(m, then, like(0, m), like(1, m), like(2, m), like(0, m), like(1, m), like(2, m),
			as_double(like(0, m)), like(1, m), (vector) { like(0, m), like(2, m) }, like(2, m));
	} else {
		then();
	}
	wrong += (a != like(0, n)) + (b != like(1, n)) + (c != like(2, n)) + (d != like(0, n)) + (e != like(1, n));
	wrong += (f != like(2, n)) + (as_word(g) != like(0, n)) + (h != like(1, n)) + (i[0] != like(0, n));
	return wrong + (i[1] != like(2, n)) + (j != like(2, n));
}

static int anywhere(void (*then)(void))
{
	return in_arguments(0, then, like(0, 0), like(1, 0), like(2, 0), like(0, 0), like(1, 0), like(2, 0),
		as_double(like(0, 0)), like(1, 0), (vector) { like(0, 0), like(2, 0) }, like(2, 0));
}

// Functions with more results than registers have room for, which C does not have. The first gives its arguments
// back, if nothing in its frames is changed.
int wrong_in_results(int n, uint64_t a, uint64_t b, uint64_t c);
__asm__(".functype	fork_here_too () -> ()\n"
	"	.section	.text.give_back,\"\",@\n"
	"	.type	give_back,@function\n"
	"give_back:\n"
	"	.functype	give_back (i32, i64, i64, i64) -> (i64, i64, i64)\n"
	"	.local	i64, i64, i64\n"
	"	local.get	0\n"
	"	i32.eqz\n"
	"	if\n"
	"	call	fork_here_too\n"
	"	local.get	1\n"
	"	local.get	2\n"
	"	local.get	3\n"
	"	return\n"
	"	end_if\n"
	"	local.get	0\n"
	"	i32.const	1\n"
	"	i32.sub\n"
	"	local.get	3\n"
	"	local.get	1\n"
	"	local.get	2\n"
	"	call	give_back\n"
	"	local.set	6\n"
	"	local.set	5\n"
	"	local.get	3\n"
	"	i64.xor\n"
	"	local.get	1\n"
	"	i64.xor\n"
	"	local.get	5\n"
	"	local.get	1\n"
	"	i64.xor\n"
	"	local.get	2\n"
	"	i64.xor\n"
	"	local.get	6\n"
	"	local.get	2\n"
	"	i64.xor\n"
	"	local.get	3\n"
	"	i64.xor\n"
	"	end_function\n"
	"	.section	.text.wrong_in_results,\"\",@\n"
	"	.globl	wrong_in_results\n"
	"	.type	wrong_in_results,@function\n"
	"wrong_in_results:\n"
	"	.functype	wrong_in_results (i32, i64, i64, i64) -> (i32)\n"
	"	local.get	0\n"
	"	local.get	1\n"
	"	local.get	2\n"
	"	local.get	3\n"
	"	call	give_back\n"
	"	local.get	3\n"
	"	i64.ne\n"
	"	local.set	0\n"
	"	local.get	2\n"
	"	i64.ne\n"
	"	local.get	0\n"
	"	i32.add\n"
	"	local.set	0\n"
	"	local.get	1\n"
	"	i64.ne\n"
	"	local.get	0\n"
	"	i32.add\n"
	"	end_function\n");

__attribute__((used)) void fork_here_too(void)
{
	fork_here();
}

static int wrong;

static void frames_of_all_kinds(void)
{
	wrong += in_the_frame(DEEP, fork_here);
}

static void *in_a_thread(void *unused)
{
	(void)unused;
	int wrong = in_the_frame(DEEP, fork_here);
	if (child) _exit(wrong != 0);
	CHECK(!wrong);
	return 0;
}

// What setjmp saves, and the jump out of deeper frames.
static jmp_buf place;

static void fork_and_jump(void)
{
	fork_here();
	longjmp(place, 1);
}

__attribute__((noinline)) static int around_setjmp(int n)
{
	uint64_t a = like(0, n), b = like(1, n), c = like(2, n);
	double d = as_double(like(0, n));
	if (setjmp(place) == 0) in_registers(4, fork_and_jump);
	return (a != like(0, n)) + (b != like(1, n)) + (c != like(2, n)) + (as_word(d) != like(0, n));
}

// A handler that interrupts a loop, which has its values in all kinds of registers.
static volatile int handled;

static void fork_in_handler(int signal)
{
	(void)signal;
	wrong += in_registers(4, fork_here);
	handled = 1;
}

__attribute__((noinline)) static int in_a_loop(int n)
{
	uint64_t a = like(0, n), b = like(1, n), c = like(2, n), d = like(0, n + 1), e = like(1, n + 1);
	double f = as_double(like(0, n)), g = as_double(like(1, n));
	vector h = { like(0, n), like(1, n) };
	uint64_t rounds = 0;
	handled = 0;
	struct itimerval soon = { .it_value = { .tv_usec = 2000 } };
	CHECK(setitimer(ITIMER_VIRTUAL, &soon, 0) == 0);
	while (!handled) rounds++;
	CHECK(rounds);
	return (a != like(0, n)) + (b != like(1, n)) + (c != like(2, n)) + (d != like(0, n + 1))
		+ (e != like(1, n + 1)) + (as_word(f) != like(0, n)) + (as_word(g) != like(1, n))
		+ (h[0] != like(0, n)) + (h[1] != like(1, n));
}

// A handler that interrupts an instruction, with addresses in registers, and lets it go on in parent and child.
static char *page;
static long page_size;

static void fork_in_fault(int signal)
{
	(void)signal;
	CHECK(mprotect(page, page_size, PROT_READ | PROT_WRITE) == 0);
	wrong += in_registers(4, fork_here);
}

__attribute__((noinline)) static int at_a_fault(int n, volatile uint64_t *words)
{
	double f = as_double(like(0, n)), g = as_double(like(1, n)), h = as_double(like(2, n));
	half j = as_float(like(0, n));
	for (int k = 0; k < 8; k++) words[k] += k;
	int wrong = words[7] != (uint64_t)n * 7;
	return wrong + (as_word(f) != like(0, n)) + (as_word(g) != like(1, n)) + (as_word(h) != like(2, n))
		+ (as_half_word(j) != (uint32_t)like(0, n));
}

static void faults(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	page = mmap(0, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	handle(SIGSEGV, fork_in_fault, 0);
	for (int n = 1; n <= 16; n++) {
		wrong = 0;
		CHECK(mprotect(page, page_size, PROT_NONE) == 0);
		int own = at_a_fault(n, (uint64_t *)page);
		end(wrong + own);
	}
}

// Contexts that wait while the process forks.
enum { CONTEXTS = 4 };
static ucontext_t back, waiting[CONTEXTS];
static int current;

static void give_way(void)
{
	CHECK(swapcontext(&waiting[current], &back) == 0);
}

static void in_a_context(void)
{
	wrong += in_registers(DEEP, give_way);
}

static void contexts(void)
{
	for (current = 0; current < CONTEXTS; current++) {
		CHECK(getcontext(&waiting[current]) == 0);
		waiting[current].uc_stack.ss_sp = malloc(128 << 10);
		waiting[current].uc_stack.ss_size = 128 << 10;
		waiting[current].uc_link = &back;
		makecontext(&waiting[current], in_a_context, 0);
		CHECK(swapcontext(&back, &waiting[current]) == 0);
	}
	fork_here();
	for (current = 0; current < CONTEXTS; current++) CHECK(swapcontext(&back, &waiting[current]) == 0);
}

// Children of children, which have other memories and stacks again.
static void generations(int left)
{
	wrong = in_registers(DEEP, fork_here);
	if (child && left) {
		CHECK(!wrong);
		generations(left - 1);
		_exit(0);
	}
	end(wrong);
}

int main(void)
{
	wrong = in_registers(DEEP, fork_here);
	end(wrong);
	wrong = in_the_frame(DEEP, fork_here);
	end(wrong);
	int m = DEEP;
	wrong = in_arguments(m, fork_here, like(0, m), like(1, m), like(2, m), like(0, m), like(1, m), like(2, m),
		as_double(like(0, m)), like(1, m), (vector) { like(0, m), like(2, m) }, like(2, m));
	end(wrong);
	wrong = anywhere(frames_of_all_kinds);
	end(wrong);
	end(wrong_in_results(DEEP, like(0, 0), like(1, 0), like(2, 0)));

	pthread_t thread;
	CHECK(pthread_create(&thread, 0, in_a_thread, 0) == 0 && pthread_join(thread, 0) == 0);
	end(0);

	for (int n = 0; n < 16; n++) end(around_setjmp(n));

	handle(SIGVTALRM, fork_in_handler, 0);
	for (int n = 0; n < 16; n++) {
		wrong = 0;
		int own = in_a_loop(n);
		end(wrong + own);
	}

	faults();

	wrong = 0;
	contexts();
	end(wrong);

	generations(12);
}
