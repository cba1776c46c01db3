// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int shared;
static int fd;

static int changes_all(void *argument)
{
	(void)argument;
	shared = 1;
	close(fd);
	chdir("/proc");
	umask(0123);
	return 5;
}

static void run(int flags)
{
	shared = 0;
	fd = open("/dev/null", O_RDONLY);
	CHECK(fd >= 0 && chdir("/") == 0);
	umask(022);
	pid_t child = clone(changes_all, stack + sizeof stack, flags | SIGCHLD, 0);
	CHECK(child > 0);
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	char place[100];
	CHECK(getcwd(place, sizeof place));
	CHECK(shared == !!(flags & CLONE_VM));
	CHECK((fcntl(fd, F_GETFD) == -1) == !!(flags & CLONE_FILES));
	CHECK((strcmp(place, "/proc") == 0) == !!(flags & CLONE_FS));
	CHECK((umask(022) == 0123) == !!(flags & CLONE_FS));
	close(fd);
}

static int exits(void *argument)
{
	return argument != 0;
}

static int has_a_sibling(void *argument)
{
	(void)argument;
	static char inner[65536] __attribute__((aligned(16)));
	CHECK(clone(exits, inner + sizeof inner, CLONE_PARENT | SIGCHLD, 0) > 0);
	CHECK(waitpid(-1, 0, 0) == -1 && errno == ECHILD);
	return 0;
}

int main(void)
{
	run(0);
	run(CLONE_FS);
	run(CLONE_FILES);
	run(CLONE_VM);
	run(CLONE_VM | CLONE_FS | CLONE_FILES);
	run(CLONE_VM | CLONE_VFORK);

	// A sibling is the caller's parent's child.
	int status;
	pid_t child = clone(has_a_sibling, stack + sizeof stack, SIGCHLD, 0);
	CHECK(child > 0 && passed(wait_for(child)));
	CHECK(wait(&status) > 0 && passed(status) && wait(&status) == -1 && errno == ECHILD);

	// Thread ids are written and cleared; the descriptor becomes readable at the end.
	pid_t *tids = shared_page();
	int pidfd = -1;
	child = clone(exits, stack + sizeof stack, CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0,
		tids, 0, tids);
	CHECK(child > 0 && passed(wait_for(child)) && *tids == 0);
	child = clone(exits, stack + sizeof stack, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
	CHECK(child > 0 && pidfd >= 0);
	CHECK(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 10000) == 1);
	CHECK(waitid(P_PIDFD, pidfd, &(siginfo_t){ 0 }, WEXITED) == 0);

	// clone3 with no stack is fork.
	struct clone_args arguments = { .flags = CLONE_PARENT_SETTID, .parent_tid = (uintptr_t)tids, .exit_signal = SIGCHLD };
	child = syscall(SYS_clone3, &arguments, sizeof arguments);
	if (child == 0) _exit(0);
	CHECK(child > 0 && *tids == child && passed(wait_for(child)));
	CHECK(clone(exits, stack + sizeof stack, CLONE_THREAD, 0) == -1 && errno == EINVAL);
}
