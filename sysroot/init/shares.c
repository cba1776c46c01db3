/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Folders of the host. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init.h"

/* The process of the host reads ahead while a program here copies: two requests at once. */
#define READ_AHEAD_KIB "1024"

/* Makes a directory, and those that lead to it. */
static void make_directories(char *path)
{
	for (char *end = path; (end = strchr(end + 1, '/'));) {
		*end = 0;
		mkdir(path, 0755);
		*end = '/';
	}
	mkdir(path, 0755);
}

/* Appends a number. */
static char *put_number(char *to, unsigned number)
{
	if (number > 9) to = put_number(to, number / 10);
	*to = '0' + number % 10;
	return to + 1;
}

static void read_far_ahead(const char *where)
{
	char path[64];
	struct stat status;
	if (stat(where, &status)) return;
	char *end = put_number(stpcpy(path, "/sys/class/bdi/"), major(status.st_dev));
	*end++ = ':';
	stpcpy(put_number(end, minor(status.st_dev)), "/read_ahead_kb");
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	if (write(fd, READ_AHEAD_KIB, strlen(READ_AHEAD_KIB)) < 0) errno = 0;
	close(fd);
}

void mount_shares(char **words)
{
	char tag[32];
	for (int n = 0; words && words[2 * n] && words[2 * n + 1]; n++) {
		char *where = words[2 * n];
		unsigned long flags = strcmp(words[2 * n + 1], "ro") ? 0 : MS_RDONLY;
		*put_number(stpcpy(tag, "share"), n) = 0;
		make_directories(where);
		if (mount(tag, where, "virtiofs", flags | MS_NOSUID | MS_NODEV, "")) {
			complain("mount", where, errno);
			shut_down(EXIT, 126);
		}
		read_far_ahead(where);
	}
}
