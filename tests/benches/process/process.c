// SPDX-License-Identifier: MIT OR Apache-2.0
// What processes, threads, memory and system calls cost. The same source runs in the guest and on
// the host. Prints a line "NAME NANOSECONDS" per measure: all of them, or those named.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "measure.h"

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

enum {
	PAGE = 4096,
	AREA = 16 << 20,
	AREA_PAGES = AREA / PAGE,
};

static char helper[256];

// In memory, not on a disk.
static const char *const file = "/dev/shm/process-benchmark";

static void wait_for(pid_t child)
{
	int status;
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static char *map(size_t size, int flags)
{
	char *area = mmap(0, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
	CHECK(area != MAP_FAILED);
	return area;
}

// Writes only: a page that is read first costs two faults.
static void touch(char *area, size_t size, char value)
{
	for (size_t i = 0; i < size; i += PAGE) ((volatile char *)area)[i] = value;
}

// System calls

static uint64_t run_getpid(unsigned count)
{
	pid_t self = getpid();
	uint64_t start = now();
	while (count--) CHECK(getpid() == self);
	return now() - start;
}

static uint64_t run_clock(unsigned count)
{
	uint64_t start = now(), last = start;
	while (count--) {
		uint64_t next = now();
		CHECK(next >= last);
		last = next;
	}
	return last - start;
}

static uint64_t run_open(unsigned count)
{
	uint64_t start = now();
	while (count--) {
		int fd = open(file, O_RDONLY);
		CHECK(fd >= 0 && close(fd) == 0);
	}
	return now() - start;
}

static uint64_t run_stat(unsigned count)
{
	struct stat stat_;
	uint64_t start = now();
	while (count--) CHECK(stat(file, &stat_) == 0 && stat_.st_size == PAGE);
	return now() - start;
}

static uint64_t run_pread(unsigned count)
{
	static char page[PAGE];
	int fd = open(file, O_RDONLY);
	CHECK(fd >= 0);
	uint64_t start = now();
	while (count--) CHECK(pread(fd, page, PAGE, 0) == PAGE);
	uint64_t took = now() - start;
	CHECK(page[PAGE - 1] == 'x');
	close(fd);
	return took;
}

static uint64_t run_pipe(unsigned count)
{
	int ends[2];
	char byte = 'x';
	CHECK(pipe(ends) == 0);
	uint64_t start = now();
	while (count--) CHECK(write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
	uint64_t took = now() - start;
	close(ends[0]);
	close(ends[1]);
	return took;
}

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

static uint64_t run_signal(unsigned count)
{
	struct sigaction action = { .sa_handler = count_signal };
	unsigned wanted = count;
	pid_t self = getpid();
	signals = 0;
	CHECK(sigaction(SIGUSR1, &action, 0) == 0);
	uint64_t start = now();
	while (count--) kill(self, SIGUSR1);
	uint64_t took = now() - start;
	CHECK((unsigned)signals == wanted);
	return took;
}

// Two tasks that wake each other

static uint64_t ping(int in, int out, unsigned count)
{
	char byte = 'x';
	uint64_t start = now();
	while (count--) CHECK(write(out, &byte, 1) == 1 && read(in, &byte, 1) == 1);
	return now() - start;
}

// Ends at the end of the input.
static void pong(int in, int out)
{
	char byte;
	while (read(in, &byte, 1) == 1) CHECK(write(out, &byte, 1) == 1);
	_exit(0);
}

static uint64_t run_pipe_round_trip(unsigned count)
{
	int there[2], back[2];
	CHECK(pipe(there) == 0 && pipe(back) == 0);
	pid_t child = fork();
	if (child == 0) {
		close(there[1]);
		close(back[0]);
		pong(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	uint64_t took = ping(back[0], there[1], count);
	close(there[1]);
	close(back[0]);
	wait_for(child);
	return took;
}

static void without_delay(int socket)
{
	int yes = 1;
	CHECK(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0);
}

static uint64_t run_tcp_round_trip(unsigned count)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int server = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(server >= 0 && bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 1) == 0);
	CHECK(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	pid_t child = fork();
	if (child == 0) {
		int peer = accept(server, 0, 0);
		CHECK(peer >= 0);
		without_delay(peer);
		pong(peer, peer);
	}
	int client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(client >= 0 && connect(client, (struct sockaddr *)&address, size) == 0);
	without_delay(client);
	uint64_t took = ping(client, client, count);
	close(client);
	close(server);
	wait_for(child);
	return took;
}

// Not every C library comes with the kernel's headers.
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

static _Atomic int turn;

static void futex(int operation, int value)
{
	syscall(SYS_futex, &turn, operation, value, 0, 0, 0);
}

// Waits until the turn is `mine`, then gives it to the other, `count` times.
static void take_turns(int mine, unsigned count)
{
	while (count--) {
		while (turn != mine) futex(FUTEX_WAIT_PRIVATE, !mine);
		turn = !mine;
		futex(FUTEX_WAKE_PRIVATE, 1);
	}
}

static void *second_of_two(void *count)
{
	take_turns(1, *(unsigned *)count);
	return 0;
}

static uint64_t run_futex_round_trip(unsigned count)
{
	pthread_t other;
	turn = 0;
	CHECK(pthread_create(&other, 0, second_of_two, &count) == 0);
	uint64_t start = now();
	take_turns(0, count);
	CHECK(pthread_join(other, 0) == 0);
	return now() - start;
}

static void *yield(void *count)
{
	for (unsigned i = *(unsigned *)count; i; i--) sched_yield();
	return 0;
}

static uint64_t run_yield(unsigned count)
{
	pthread_t other;
	CHECK(pthread_create(&other, 0, yield, &count) == 0);
	uint64_t start = now();
	yield(&count);
	CHECK(pthread_join(other, 0) == 0);
	return now() - start;
}

// Tasks that come and go

static uint64_t run_fork(unsigned count)
{
	uint64_t start = now();
	while (count--) {
		pid_t child = fork();
		if (child == 0) _exit(0);
		wait_for(child);
	}
	return now() - start;
}

static uint64_t run_fork_dirty(unsigned count)
{
	char *area = map(AREA, MAP_PRIVATE);
	uint64_t took = 0;
	while (count--) {
		touch(area, AREA, 1);
		took += run_fork(1);
	}
	munmap(area, AREA);
	return took;
}

static void leave(void)
{
	execl(helper, helper, (char *)0);
	_exit(1);
}

// The child shares the variables of the function that calls vfork: so that is one without any.
__attribute__((noinline)) static pid_t vfork_and_leave(void)
{
	pid_t child = vfork();
	if (child == 0) leave();
	return child;
}

static uint64_t run_fork_exec(unsigned count)
{
	uint64_t start = now();
	while (count--) {
		pid_t child = fork();
		if (child == 0) leave();
		wait_for(child);
	}
	return now() - start;
}

static uint64_t run_vfork_exec(unsigned count)
{
	uint64_t start = now();
	while (count--) wait_for(vfork_and_leave());
	return now() - start;
}

static void *same(void *argument)
{
	return argument;
}

static uint64_t run_thread(unsigned count)
{
	uint64_t start = now();
	while (count--) {
		pthread_t thread;
		void *result;
		CHECK(pthread_create(&thread, 0, same, &start) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == &start);
	}
	return now() - start;
}

// Memory

static uint64_t run_touch(unsigned count)
{
	uint64_t took = 0;
	while (count--) {
		char *area = map(AREA, MAP_PRIVATE);
		uint64_t start = now();
		touch(area, AREA, 1);
		took += now() - start;
		CHECK(area[AREA - PAGE] == 1);
		munmap(area, AREA);
	}
	return took;
}

static uint64_t run_unmap(unsigned count)
{
	uint64_t took = 0;
	while (count--) {
		char *area = map(AREA, MAP_PRIVATE);
		touch(area, AREA, 1);
		uint64_t start = now();
		CHECK(munmap(area, AREA) == 0);
		took += now() - start;
	}
	return took;
}

static uint64_t run_copy_on_write(unsigned count)
{
	char *area = map(AREA, MAP_PRIVATE);
	uint64_t *told = (uint64_t *)map(PAGE, MAP_SHARED);
	uint64_t took = 0;
	while (count--) {
		touch(area, AREA, 1);
		pid_t child = fork();
		if (child == 0) {
			uint64_t start = now();
			touch(area, AREA, 2);
			*told = now() - start;
			_exit(0);
		}
		wait_for(child);
		CHECK(area[AREA - PAGE] == 1);
		took += *told;
	}
	munmap(area, AREA);
	munmap(told, PAGE);
	return took;
}

static uint64_t run_map(unsigned count)
{
	uint64_t start = now();
	while (count--) {
		char *area = map(16 * PAGE, MAP_PRIVATE);
		CHECK(munmap(area, 16 * PAGE) == 0);
	}
	return now() - start;
}

static uint64_t allocate(unsigned count, size_t size)
{
	uint64_t start = now();
	while (count--) {
		char *memory = malloc(size);
		CHECK(memory);
		OPAQUE(memory);
		free(memory);
	}
	return now() - start;
}

static uint64_t run_malloc_32(unsigned count)
{
	return allocate(count, 32);
}

static uint64_t run_malloc_256(unsigned count)
{
	return allocate(count, 256);
}

static uint64_t run_malloc_4000(unsigned count)
{
	return allocate(count, 4000);
}

// Work in parallel: a fixed amount, shared by one or two workers

enum { SHARES = 2 };

static void compute(void)
{
	uint32_t state = 1;
	for (int i = 0; i < 4000000; i++) {
		state = state * 1664525 + 1013904223;
		OPAQUE(state);
	}
	CHECK(state == 0xf752b101);
}

static void touch_much(void)
{
	for (int i = 0; i < 4; i++) {
		char *area = map(AREA / 4, MAP_PRIVATE);
		touch(area, AREA / 4, 1);
		munmap(area, AREA / 4);
	}
}

struct share {
	void (*work)(void);
	int times;
};

static void *do_share(void *argument)
{
	struct share *share = argument;
	for (int i = 0; i < share->times; i++) share->work();
	return 0;
}

static uint64_t in_threads(unsigned count, int workers, void (*work)(void))
{
	pthread_t threads[SHARES];
	struct share share = { work, SHARES / workers };
	uint64_t start = now();
	while (count--) {
		for (int i = 0; i < workers; i++) CHECK(pthread_create(&threads[i], 0, do_share, &share) == 0);
		for (int i = 0; i < workers; i++) CHECK(pthread_join(threads[i], 0) == 0);
	}
	return now() - start;
}

static uint64_t in_processes(unsigned count, int workers, void (*work)(void))
{
	pid_t children[SHARES];
	struct share share = { work, SHARES / workers };
	uint64_t start = now();
	while (count--) {
		for (int i = 0; i < workers; i++) {
			children[i] = fork();
			if (children[i] == 0) {
				do_share(&share);
				_exit(0);
			}
		}
		for (int i = 0; i < workers; i++) wait_for(children[i]);
	}
	return now() - start;
}

static uint64_t run_compute_process(unsigned count)
{
	return in_processes(count, 1, compute);
}

static uint64_t run_compute_processes(unsigned count)
{
	return in_processes(count, 2, compute);
}

static uint64_t run_compute_thread(unsigned count)
{
	return in_threads(count, 1, compute);
}

static uint64_t run_compute_threads(unsigned count)
{
	return in_threads(count, 2, compute);
}

static uint64_t run_touch_process(unsigned count)
{
	return in_processes(count, 1, touch_much);
}

static uint64_t run_touch_processes(unsigned count)
{
	return in_processes(count, 2, touch_much);
}

static uint64_t run_touch_thread(unsigned count)
{
	return in_threads(count, 1, touch_much);
}

static uint64_t run_touch_threads(unsigned count)
{
	return in_threads(count, 2, touch_much);
}

static const struct measure measures[] = {
	{ "getpid", run_getpid, 1 },
	{ "clock-gettime", run_clock, 1 },
	{ "stat", run_stat, 1 },
	{ "open-close", run_open, 1 },
	{ "pread-4k", run_pread, 1 },
	{ "pipe-write-read", run_pipe, 1 },
	{ "signal-to-self", run_signal, 1 },
	{ "pipe-round-trip", run_pipe_round_trip, 1 },
	{ "futex-round-trip", run_futex_round_trip, 1 },
	{ "tcp-round-trip", run_tcp_round_trip, 1 },
	{ "sched-yield-pair", run_yield, 1 },
	{ "thread-create-join", run_thread, 1 },
	{ "fork-exit-wait", run_fork, 1 },
	{ "fork-exit-wait-16m", run_fork_dirty, 1 },
	{ "fork-exec-wait", run_fork_exec, 1 },
	{ "vfork-exec-wait", run_vfork_exec, 1 },
	{ "first-touch-4k", run_touch, AREA_PAGES },
	{ "copy-on-write-4k", run_copy_on_write, AREA_PAGES },
	{ "munmap-touched-4k", run_unmap, AREA_PAGES },
	{ "mmap-munmap-64k", run_map, 1 },
	{ "malloc-free-32", run_malloc_32, 1 },
	{ "malloc-free-256", run_malloc_256, 1 },
	{ "malloc-free-4000", run_malloc_4000, 1 },
	{ "compute-1-process", run_compute_process, 1 },
	{ "compute-2-processes", run_compute_processes, 1 },
	{ "compute-1-thread", run_compute_thread, 1 },
	{ "compute-2-threads", run_compute_threads, 1 },
	{ "touch-1-process", run_touch_process, 1 },
	{ "touch-2-processes", run_touch_processes, 1 },
	{ "touch-1-thread", run_touch_thread, 1 },
	{ "touch-2-threads", run_touch_threads, 1 },
};

static const struct measure *find(const char *name)
{
	for (size_t i = 0; i < sizeof measures / sizeof *measures; i++)
		if (!strcmp(name, measures[i].name)) return &measures[i];
	fprintf(stderr, "no measure is called %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	// The helper lies beside this program.
	char *slash = strrchr(argv[0], '/');
	int length = slash ? (int)(slash - argv[0]) : 1;
	snprintf(helper, sizeof helper, "%.*s/leave", length, slash ? argv[0] : ".");
	CHECK(access(helper, X_OK) == 0);

	static char page[PAGE];
	memset(page, 'x', PAGE);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, page, PAGE) == PAGE && close(fd) == 0);

	for (int i = 1; i < argc; i++) take(find(argv[i]));
	if (argc == 1)
		for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) take(&measures[i]);
	unlink(file);
}
