// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/resource.h>

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	CHECK(setrlimit(resource, &(struct rlimit){ soft, hard }) == 0);
}

static void files(void)
{
	limit(RLIMIT_NOFILE, 10, 20);
	for (int fd = 3; fd < 10; fd++) dup2(0, fd);
	CHECK(dup(0) == -1 && errno == EMFILE);
	CHECK(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
	CHECK(fcntl(0, F_DUPFD, 10) == -1 && errno == EINVAL);
	close(10);
	limit(RLIMIT_NOFILE, 11, 20);
	CHECK(dup(0) == 10);
}

static void no_way_back(void)
{
	limit(RLIMIT_NOFILE, 10, 20);
	CHECK(setuid(65534) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 10, 30 }) == -1 && errno == EPERM);
}

static int large_file(void)
{
	int fd = open("/tmp/large", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && unlink("/tmp/large") == 0);
	limit(RLIMIT_FSIZE, 1000, 1000);
	static char bytes[1500];
	CHECK(write(fd, bytes, sizeof bytes) == 1000);
	return fd;
}

static void size_of_a_file_by_signal(void)
{
	write(large_file(), "x", 1);
}

static void size_of_a_file_by_error(void)
{
	handle(SIGXFSZ, SIG_IGN, 0);
	CHECK(write(large_file(), "x", 1) == -1 && errno == EFBIG);
}

static void time_by_signal(void)
{
	limit(RLIMIT_CPU, 1, 3);
	for (;;);
}

static volatile int warned;

static void warn(int signal)
{
	warned = signal == SIGXCPU;
}

static void time_by_kill(void)
{
	handle(SIGXCPU, warn, 0);
	limit(RLIMIT_CPU, 1, 2);
	for (;;)
		if (warned == 1) {
			warned = 2;
			CHECK(clock() >= CLOCKS_PER_SEC / 2);
		}
}

static void address_space(void)
{
	limit(RLIMIT_AS, 64 << 20, 64 << 20);
	CHECK(mmap(0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	void *volatile memory = malloc(100 << 20);
	CHECK(!memory && errno == ENOMEM);
}

static void processes(void)
{
	limit(RLIMIT_NPROC, 0, 0);
	CHECK(setuid(65533) == 0);
	CHECK(fork() == -1 && errno == EAGAIN);
}

static void locked_memory(void)
{
	limit(RLIMIT_MEMLOCK, 65536, 65536);
	CHECK(setuid(65532) == 0);
	char *memory = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mlock(memory, 65536) == 0 && mlock(memory, 1 << 20) == -1 && errno == ENOMEM);
}

int main(void)
{
	CHECK(passed(status_of(files)));
	CHECK(passed(status_of(no_way_back)));
	CHECK(died_of(status_of(size_of_a_file_by_signal), SIGXFSZ));
	CHECK(passed(status_of(size_of_a_file_by_error)));
	CHECK(died_of(status_of(time_by_signal), SIGXCPU));
	CHECK(died_of(status_of(time_by_kill), SIGKILL));
	CHECK(passed(status_of(address_space)));
	CHECK(passed(status_of(processes)));
	CHECK(passed(status_of(locked_memory)));
	// Another process's limits.
	struct rlimit old;
	pid_t child = fork();
	if (child == 0) pause();
	CHECK(prlimit(child, RLIMIT_NOFILE, &(struct rlimit){ 33, 44 }, &old) == 0);
	CHECK(prlimit(child, RLIMIT_NOFILE, 0, &old) == 0 && old.rlim_cur == 33 && old.rlim_max == 44);
	CHECK(kill(child, SIGKILL) == 0 && died_of(wait_for(child), SIGKILL));
}
