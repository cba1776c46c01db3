// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pty.h>
#include <sys/prctl.h>

static volatile int *seen;

static void notes(int signal)
{
	seen[signal]++;
}

// The leader's end hangs up on those in the foreground.
static void leader_ends(void)
{
	int terminal;
	pid_t leader = forkpty(&terminal, 0, 0, 0);
	CHECK(leader >= 0);
	if (leader == 0) {
		pid_t self = getpid();
		pid_t job = fork();
		if (job == 0) {
			handle(SIGHUP, notes, 0);
			handle(SIGCONT, notes, 0);
			seen[0] = getpid();
			while (!seen[SIGHUP]) sleep_ms(1);
			// The signal comes before the terminal goes, which it has once there is another parent.
			while (getppid() == self) sleep_ms(1);
			CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
			CHECK(getsid(0) != getpid());
			_exit(4);
		}
		while (!seen[0]) sleep_ms(1);
		_exit(0);
	}
	CHECK(passed(wait_for(leader)));
	int status = wait_for(seen[0]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4);
	close(terminal);
}

// The other end's close hangs up on the leader.
static void terminal_closes(void)
{
	int terminal;
	char byte;
	pid_t leader = forkpty(&terminal, 0, 0, 0);
	CHECK(leader >= 0);
	if (leader == 0) {
		CHECK(write(1, "x", 1) == 1);
		for (;;) pause();
	}
	CHECK(read(terminal, &byte, 1) == 1 && close(terminal) == 0);
	CHECK(died_of(wait_for(leader), SIGHUP));
}

int main(void)
{
	seen = shared_page();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	leader_ends();
	terminal_closes();
}
