/*
 * Processes that are in as many states as there are when the machine is frozen. The first one freezes it, again
 * and again if it is told so, and then every one says what it has come to: the same as if nothing had been.
 *
 *	states ROUNDS WORD	freeze so many times, by writing WORD; 0: never
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Shared by all: the first one says when the machine has been frozen. */
struct shared {
	_Atomic int is_frozen;
	_Atomic int ready;
	_Atomic uint64_t rounds;
};

static struct shared *shared;

static void ready(void)
{
	shared->ready++;
}

static void wait_frozen(void)
{
	while (!shared->is_frozen)
		usleep(1000);
}

static uint64_t mix(uint64_t sum, uint64_t n)
{
	return (sum ^ n) * 0x100000001b3 + (sum >> 29);
}

/* ---- the states ---- */

/* A loop without calls, with values of every type in it. */
static uint64_t loops(void)
{
	uint64_t sum = 1, n = 0;
	double f = 1;
	float g = 1;

	ready();
	while (!atomic_load_explicit(&shared->is_frozen, memory_order_relaxed) || n % 1000) {
		sum = mix(sum, n++);
		f = f * 1.0000001 + 1;
		g = g * 0.5f + 1;
		if (n == 1000)
			sum = n = 0, f = 1, g = 1;
	}
	return sum + n + (uint64_t)f + (uint64_t)(g * 16);
}

static uint64_t deep(unsigned depth, uint64_t a, double b)
{
	volatile uint64_t own[4] = { a, depth, a ^ depth, 7 };

	if (!depth) {
		ready();
		wait_frozen();
		return a;
	}
	a = deep(depth - 1, mix(a, depth), b * 1.5);
	for (int i = 0; i < 4; i++)
		a = mix(a, own[i]);
	return a + (uint64_t)b;
}

static uint64_t recursion(void)
{
	return deep(200, 3, 1);
}

static uint64_t sleeps(void)
{
	struct timespec time = { .tv_nsec = 300000000 }, rest;

	ready();
	while (nanosleep(&time, &rest))
		time = rest;
	wait_frozen();
	return 11;
}

static uint64_t reads(void)
{
	int fd[2];
	char text[16] = "";
	pid_t child;

	pipe(fd);
	child = fork();
	if (!child) {
		wait_frozen();
		write(fd[1], "through", 7);
		_exit(0);
	}
	ready();
	read(fd[0], text, sizeof(text));
	waitpid(child, NULL, 0);
	return strcmp(text, "through") ? 0 : 12;
}

static uint64_t polls(void)
{
	int fd[2], epoll = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 };
	struct itimerspec time = { .it_value.tv_nsec = 400000000 };
	struct pollfd poll_fd;
	uint64_t count = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd[0], &event);
	timerfd_settime(timer, 0, &time, NULL);
	if (!fork()) {
		wait_frozen();
		write(fd[1], "x", 1);
		_exit(0);
	}
	ready();
	memset(&event, 0, sizeof(event));
	while (epoll_wait(epoll, &event, 1, -1) < 0)
		;
	poll_fd = (struct pollfd){ .fd = timer, .events = POLLIN };
	while (poll(&poll_fd, 1, -1) < 0)
		;
	read(timer, &count, sizeof(count));
	wait(NULL);
	return event.data.u64 + count;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;
static __thread uint64_t own = 5;

static void *thread(void *argument)
{
	uintptr_t n = (uintptr_t)argument;

	own = n;
	pthread_mutex_lock(&mutex);
	while (turn != (int)n)
		pthread_cond_wait(&condition, &mutex);
	turn++;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&mutex);
	return (void *)(uintptr_t)(own * 3);
}

static uint64_t threads(void)
{
	pthread_t all[8];
	uint64_t sum = 0;

	for (uintptr_t n = 0; n < 8; n++)
		pthread_create(&all[n], NULL, thread, (void *)(n + 1));
	ready();
	wait_frozen();
	pthread_mutex_lock(&mutex);
	turn = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&mutex);
	for (int n = 0; n < 8; n++) {
		void *result;

		pthread_join(all[n], &result);
		sum += (uintptr_t)result;
	}
	return sum + own;
}

static volatile sig_atomic_t handled;

static void slow_handler(int signal)
{
	(void)signal;
	ready();
	wait_frozen();
	handled++;
}

/* A handler that interrupted a system call, on a stack of its own. */
static uint64_t handles(void)
{
	static char stack[65536];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = slow_handler, .sa_flags = SA_ONSTACK };
	sigset_t blocked, none;
	int result;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &action, NULL);
	ualarm(1000, 0);
	result = sigsuspend(&none);
	return 100 * handled + (result == -1 && errno == EINTR);
}

/* One that interrupted a loop. */
static uint64_t handles_in_loop(void)
{
	uint64_t sum = 1;
	unsigned n = 0;

	signal(SIGALRM, slow_handler);
	ualarm(1000, 0);
	while (!handled) {
		sum = mix(sum, n++ % 16);
		if (!(n % 16))
			sum = 1;
	}
	while (n++ % 16)
		sum = 1;
	return sum + handled;
}

/* One that begins its call again. */
static uint64_t restarts(void)
{
	struct sigaction action = { .sa_handler = slow_handler, .sa_flags = SA_RESTART };
	int fd[2];
	char byte = 0;

	pipe(fd);
	sigaction(SIGALRM, &action, NULL);
	if (!fork()) {
		wait_frozen();
		usleep(20000);
		write(fd[1], "r", 1);
		_exit(0);
	}
	ualarm(1000, 0);
	read(fd[0], &byte, 1);
	wait(NULL);
	return byte + handled;
}

static sigjmp_buf jump;

static void jumping_handler(int signal)
{
	(void)signal;
	ready();
	wait_frozen();
	siglongjmp(jump, 9);
}

static uint64_t jumps(void)
{
	volatile uint64_t kept = 31;
	int n = sigsetjmp(jump, 1);

	if (!n) {
		signal(SIGALRM, jumping_handler);
		ualarm(1000, 0);
		for (;;)
			pause();
	}
	return kept + n;
}

static jmp_buf outer;

static void jumper(int depth)
{
	if (depth)
		jumper(depth - 1);
	ready();
	wait_frozen();
	longjmp(outer, 4);
}

static uint64_t long_jumps(void)
{
	volatile int kept = 40;
	int n = setjmp(outer);

	if (!n)
		jumper(5);
	return kept + n;
}

static uint64_t vforks(void)
{
	volatile int status;
	pid_t child = vfork();

	if (!child) {
		ready();
		while (!shared->is_frozen)
			usleep(1000);
		_exit(21);
	}
	waitpid(child, (int *)&status, 0);
	return WEXITSTATUS(status);
}

static uint64_t is_stopped(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		raise(SIGSTOP);
		_exit(23);
	}
	waitpid(child, &status, WUNTRACED);
	ready();
	wait_frozen();
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static uint64_t is_traced(void)
{
	pid_t child = fork();
	int status, stops = 0;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGUSR1);
		getppid();
		_exit(25);
	}
	waitpid(child, &status, 0);
	ready();
	wait_frozen();
	while (WIFSTOPPED(status)) {
		stops++;
		ptrace(PTRACE_CONT, child, 0, 0);
		waitpid(child, &status, 0);
	}
	return WEXITSTATUS(status) + stops;
}

/* Forks and executes all the time. */
static uint64_t forks(void)
{
	uint64_t sum = 0;

	ready();
	do {
		pid_t child = fork();
		int status = 0;

		if (!child)
			execl("/proc/self/exe", "states", "child", NULL);
		waitpid(child, &status, 0);
		sum |= WEXITSTATUS(status);
	} while (!shared->is_frozen);
	return sum;
}

/* TCP over loopback. */
static uint64_t transfers(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	uint64_t sum = 0, sent = 0, got = 0;
	unsigned char block[4096];
	pid_t child;

	bind(listener, (struct sockaddr *)&address, size);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &size);
	child = fork();
	if (!child) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, size))
			_exit(1);
		while (sent < 1 << 20 || !shared->is_frozen || sent % (1 << 20)) {
			for (unsigned i = 0; i < sizeof(block); i++)
				block[i] = (sent + i) % 251;
			for (unsigned done = 0; done < sizeof(block);)
				done += write(fd, block + done, sizeof(block) - done);
			sent += sizeof(block);
		}
		_exit(0);
	}
	fd = accept(listener, NULL, NULL);
	ready();
	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			sum += block[i] != (got + i) % 251;
		got += n;
	}
	waitpid(child, NULL, 0);
	return sum * 1000 + (got % (1 << 20) == 0) + (got > 0);
}

/* Memory of every kind keeps what it has. */
static uint64_t remembers(void)
{
	size_t size = 8 << 20;
	uint32_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t sum = 0, again = 0;
	FILE *file = tmpfile();
	uint32_t word;

	for (size_t i = 0; i < size / 4; i += 7)
		sum = mix(sum, memory[i] = i * 2654435761u);
	for (uint32_t i = 0; i < 10000; i++)
		fwrite(&i, 4, 1, file);
	ready();
	wait_frozen();
	for (size_t i = 0; i < size / 4; i += 7)
		again = mix(again, memory[i]);
	rewind(file);
	for (uint32_t i = 0; fread(&word, 4, 1, file); i++)
		sum += word != i;
	return sum == again ? 27 : 0;
}

static const struct {
	const char *name;
	uint64_t (*run)(void);
} states[] = {
	{ "a loop", loops },
	{ "recursion", recursion },
	{ "sleep", sleeps },
	{ "a read", reads },
	{ "epoll and poll", polls },
	{ "threads", threads },
	{ "a handler in a call", handles },
	{ "a handler in a loop", handles_in_loop },
	{ "a handler that begins a call again", restarts },
	{ "a handler that jumps", jumps },
	{ "setjmp", long_jumps },
	{ "vfork", vforks },
	{ "stopped", is_stopped },
	{ "traced", is_traced },
	{ "fork and exec", forks },
	{ "tcp", transfers },
	{ "memory", remembers },
};

#define COUNT (sizeof(states) / sizeof(states[0]))

static int freeze(const char *word)
{
	int fd = open("/dev/freeze", O_WRONLY);
	ssize_t n = write(fd, word, strlen(word));

	if (n < 0)
		perror("freeze");
	close(fd);
	return n < 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, failed = 0;
	const char *only = argc > 3 ? argv[3] : NULL;
	int fds[COUNT];
	unsigned started = 0;

	if (argc == 2 && !strcmp(argv[1], "child"))
		return 5;
	shared = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		int fd[2];

		fds[i] = -1;
		if (only && strcmp(only, states[i].name))
			continue;
		pipe(fd);
		if (!fork()) {
			uint64_t result;

			close(fd[0]);
			result = states[i].run();
			write(fd[1], &result, sizeof(result));
			_exit(0);
		}
		close(fd[1]);
		fds[i] = fd[0];
		started++;
	}
	while (shared->ready < (int)started)
		usleep(1000);
	while (rounds-- > 0)
		failed |= freeze(argv[2]);
	shared->is_frozen = 1;
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t result = 0;

		if (fds[i] < 0)
			continue;
		if (read(fds[i], &result, sizeof(result)) != sizeof(result))
			printf("%s: nothing\n", states[i].name);
		else
			printf("%s: %llx\n", states[i].name, (unsigned long long)result);
	}
	while (wait(NULL) > 0)
		;
	puts(failed ? "not frozen" : "done");
	return failed;
}
