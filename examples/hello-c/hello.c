// SPDX-License-Identifier: MIT OR Apache-2.0
// Threads, a pipe, a signal and fork: what other translators of WebAssembly leave out.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_alarm(int signal)
{
	interrupted = signal;
}

static void *spin(void *rounds)
{
	// A loop without a call: the signal comes all the same.
	while (!interrupted) ++*(volatile long *)rounds;
	return rounds;
}

int main(void)
{
	struct utsname system;
	uname(&system);
	printf("hello from %s on %s\n", system.sysname, system.machine);
	fflush(stdout);

	int ends[2];
	pipe(ends);
	if (fork() == 0) {
		dprintf(ends[1], "hello from a forked child\n");
		_exit(0);
	}
	char text[64];
	ssize_t length = read(ends[0], text, sizeof text);
	write(STDOUT_FILENO, text, length);
	wait(NULL);

	signal(SIGALRM, on_alarm);
	long rounds = 0;
	pthread_t thread;
	pthread_create(&thread, NULL, spin, &rounds);
	ualarm(20000, 0);
	pthread_join(thread, NULL);
	printf("a thread ran until signal %d came\n", interrupted);
	return rounds == 0;
}
