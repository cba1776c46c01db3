// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/inotify.h>

int main(void)
{
	char directory[] = "/tmp/inotify-XXXXXX", path[64];
	CHECK(mkdtemp(directory) && snprintf(path, sizeof path, "%s/file", directory) > 0);
	int fd = inotify_init1(IN_CLOEXEC);
	CHECK(fd >= 0 && inotify_add_watch(fd, directory, IN_CREATE | IN_DELETE) >= 0);
	CHECK(close(creat(path, 0600)) == 0 && unlink(path) == 0 && rmdir(directory) == 0);
	char buffer[1024] __attribute__((aligned(8)));
	CHECK(read(fd, buffer, sizeof buffer) >= (ssize_t)(2 * sizeof(struct inotify_event)));
	struct inotify_event *first = (void *)buffer, *second = (void *)(first->name + first->len);
	CHECK(first->mask == IN_CREATE && !strcmp(first->name, "file"));
	CHECK(second->mask == IN_DELETE && !strcmp(second->name, "file"));
}
