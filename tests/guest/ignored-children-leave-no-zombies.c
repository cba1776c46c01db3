// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static char state_of(pid_t pid)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file) return 0;
	char *read = fgets(line, sizeof line, file);
	// It may have gone since the file was opened.
	CHECK(read || errno == ESRCH);
	fclose(file);
	return read ? strrchr(line, ')')[2] : 0;
}

// It may be on its way still.
static int gone(pid_t pid)
{
	char state;
	while ((state = state_of(pid)) && state != 'Z') sleep_ms(1);
	return !state;
}

static pid_t exits(void)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) _exit(0);
	return child;
}

int main(void)
{
	pid_t zombie = exits();
	while (state_of(zombie) != 'Z') sleep_ms(1);
	CHECK(kill(zombie, 0) == 0);
	CHECK(passed(wait_for(zombie)));
	CHECK(kill(zombie, 0) == -1 && errno == ESRCH && state_of(zombie) == 0);

	// wait blocks until the last has gone, and tells of none.
	handle(SIGCHLD, SIG_IGN, 0);
	pid_t ignored = exits();
	CHECK(wait(0) == -1 && errno == ECHILD && gone(ignored));
	handle(SIGCHLD, SIG_DFL, SA_NOCLDWAIT);
	ignored = exits();
	CHECK(wait(0) == -1 && errno == ECHILD && gone(ignored));
}
