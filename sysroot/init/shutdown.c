// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

/* Time for processes to obey SIGTERM, and for killed ones to be gone, in milliseconds. */
#define GRACE_MS 500

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Every orphan is a child of ours, so that there are no processes without children. */
int has_ended_within(pid_t pid, int milliseconds)
{
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	long long end = now_ms() + milliseconds;
	for (;;) {
		pid_t found = waitpid(-1, 0, WNOHANG);
		if (found < 0 && errno == ECHILD) return 1;
		if (found > 0 && found == pid) return 1;
		if (found > 0) continue;
		long long left = end - now_ms();
		if (left <= 0) return 0;
		struct timespec timeout = { left / 1000, left % 1000 * 1000000 };
		sigtimedwait(&child, 0, &timeout);
	}
}

static void end_processes(void)
{
	if (waitpid(-1, 0, WNOHANG) < 0 && errno == ECHILD) return;
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	if (has_ended_within(-1, GRACE_MS)) return;
	kill(-1, SIGKILL);
	has_ended_within(-1, GRACE_MS);
}

/* Leaves what lies on block devices clean. The last mount goes first, since it may lie in another. */
static void end_file_systems(void)
{
	static char table[16384];
	char *where[64];
	int count = 0;

	sync();
	int fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, table, sizeof table - 1);
	char *rest;
	if (size <= 0) return;
	/* A line is: what, where, type, options. */
	for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(0, "\n", &rest)) {
		strtok(line, " ");
		char *directory = strtok(0, " ");
		if (directory && !strncmp(line, "/dev/", 5) && count < COUNT(where)) where[count++] = directory;
	}
	while (count--)
		if (umount2(where[count], 0))
			mount(0, where[count], 0, MS_REMOUNT | MS_RDONLY, 0);
}

_Noreturn void shut_down(enum ending how, int status)
{
	static const unsigned command[] = {
		[HALT] = LINUX_REBOOT_CMD_HALT,
		[POWER_OFF] = LINUX_REBOOT_CMD_POWER_OFF,
		[REBOOT] = LINUX_REBOOT_CMD_RESTART,
		[EXIT] = LINUX_REBOOT_CMD_RESTART2,
	};
	char argument[16] = "exit="; /* for the kernel's machine_restart */
	char *end = argument + 5;
	for (int unit = 100; unit; unit /= 10)
		if (status >= unit || unit == 1) *end++ = '0' + status / unit % 10;
	end_processes();
	end_file_systems();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command[how], argument);
	for (;;) pause();
}
