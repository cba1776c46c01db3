// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <dirent.h>

static const char *of(pid_t pid, const char *name)
{
	static char path[64], text[65536];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	size_t length = 0;
	for (ssize_t n; (n = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += n;
	text[length] = 0;
	close(fd);
	return text;
}

static long field(pid_t pid, const char *name)
{
	const char *line = strstr(of(pid, "status"), name);
	CHECK(line);
	return strtol(line + strlen(name), 0, 0);
}

int main(void)
{
	// Numbers that a child tells, and a page with a mark.
	static char mark[] = "what the other one holds";
	static int number;
	size_t size = 1 << 20;
	char *area = mmap(0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	CHECK(mprotect(area, size / 2, PROT_READ | PROT_WRITE) == 0);
	int file = open("/etc/passwd", O_RDONLY);
	CHECK(file >= 0 && lseek(file, 5, SEEK_SET) == 5);
	pid_t child = fork();
	if (child == 0) {
		while (((volatile int *)&number)[0] == 0) sleep_ms(1);
		_exit(number);
	}

	// maps: one line per protection, where it was said.
	unsigned long from, to;
	char rights[5];
	int found = 0;
	char *maps = strdup(of(child, "maps"));
	for (char *line = strtok(maps, "\n"); line; line = strtok(0, "\n")) {
		CHECK(sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && from < to);
		if ((uintptr_t)area >= from && (uintptr_t)area < to && rights[1] == 'w') found |= 1;
		if ((uintptr_t)area + size - 1 >= from && (uintptr_t)area + size - 1 < to && strncmp(rights, "r--", 3) == 0) found |= 2;
		if ((uintptr_t)mark >= from && (uintptr_t)mark < to && rights[1] == 'w') found |= 4;
		if (strstr(line, "[heap]") || strstr(line, "[stack]")) found |= 8;
	}
	CHECK(found == 15);

	// stat and status agree.
	char name[64], state;
	int pid, parent, group, session;
	CHECK(sscanf(of(child, "stat"), "%d (%63[^)]) %c %d %d %d", &pid, name, &state, &parent, &group, &session) == 6);
	CHECK(pid == child && parent == getpid() && group == getpgrp() && session == getsid(0));
	CHECK(strchr("RSD", state) && strncmp(name, "proc-tells-about-a-process", strlen(name)) == 0);
	CHECK(field(child, "\nPid:") == child && field(child, "\nPPid:") == getpid() && field(child, "\nThreads:") == 1);
	CHECK(field(child, "\nVmRSS:") > 0 && field(child, "\nUid:") == (long)getuid());
	CHECK(kill(child, SIGSTOP) == 0 && waitpid(child, 0, WUNTRACED) == child);
	CHECK(strstr(of(child, "status"), "\nState:\tT"));
	CHECK(strstr(of(child, "cmdline"), "proc-tells"));

	// fd and fdinfo.
	char path[64], target[64] = "";
	snprintf(path, sizeof path, "/proc/%d/fd/%d", child, file);
	CHECK(readlink(path, target, sizeof target - 1) == 11 && strcmp(target, "/etc/passwd") == 0);
	snprintf(path, sizeof path, "fdinfo/%d", file);
	CHECK(strstr(of(child, path), "pos:\t5\n"));

	// mem reads and writes.
	snprintf(path, sizeof path, "/proc/%d/mem", child);
	int memory = open(path, O_RDWR);
	char seen[sizeof mark];
	CHECK(memory >= 0 && pread(memory, seen, sizeof seen, (uintptr_t)mark) == sizeof seen && !strcmp(seen, mark));
	CHECK(pwrite(memory, &(int){ 9 }, sizeof number, (uintptr_t)&number) == sizeof number && number == 0);
	CHECK(kill(child, SIGCONT) == 0);
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	// The memory has gone with its process.
	CHECK(pread(memory, seen, sizeof seen, (uintptr_t)mark) <= 0);
}
