// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/resource.h>

static volatile char marker[] = "kept for whoever looks into the core";

static void set_pattern(const char *pattern)
{
	int fd = open("/proc/sys/kernel/core_pattern", O_WRONLY);
	CHECK(fd >= 0 && write(fd, pattern, strlen(pattern)) == (ssize_t)strlen(pattern) && close(fd) == 0);
}

static void set_limit(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };
	CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
}

static void dies(void)
{
	// What only memory can tell.
	marker[0] = 'K';
	abort();
}

// Has the file a core with the marker?
static int is_core(const char *path)
{
	static char contents[32 << 20];
	char needle[20];
	int fd = open(path, O_RDONLY);
	if (fd < 0) return 0;
	ssize_t size = 0, n;
	while ((n = read(fd, contents + size, sizeof contents - size)) > 0) size += n;
	CHECK(n == 0 && close(fd) == 0);
	// Not to be found anywhere else.
	snprintf(needle, sizeof needle, "%cept for whoever", 'K');
	return size > 52 && memcmp(contents, "\177ELF", 4) == 0 && contents[16] == 4 &&
	       memmem(contents, size, needle, strlen(needle));
}

int main(void)
{
	char path[40];

	CHECK(mkdir("/tmp/cores", 0700) == 0);
	set_pattern("/tmp/cores/%p.%s");
	set_limit(RLIM_INFINITY);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) dies();
	int status = wait_for(pid);
	CHECK(died_of(status, SIGABRT) && WCOREDUMP(status));
	snprintf(path, sizeof path, "/tmp/cores/%d.%d", pid, SIGABRT);
	CHECK(is_core(path) && unlink(path) == 0);

	// A program takes it.
	set_pattern("|/bin/dd of=/tmp/cores/taken");
	CHECK(WCOREDUMP(status_of(dies)));
	for (int i = 0; i < 100 && !is_core("/tmp/cores/taken"); i++) sleep_ms(50);
	CHECK(is_core("/tmp/cores/taken"));

	// Nobody wants one.
	set_pattern("/tmp/cores/%p");
	set_limit(0);
	status = status_of(dies);
	CHECK(died_of(status, SIGABRT) && !WCOREDUMP(status));
	CHECK(system("rm /tmp/cores/taken && rmdir /tmp/cores") == 0);
}
