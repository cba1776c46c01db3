// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifdef SYS_clock_gettime64
#define CALL SYS_clock_gettime64
#else
#define CALL SYS_clock_gettime
#endif

static void forbid_the_call(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void reads_clocks(void)
{
	struct timespec time, last = { 0 };

	forbid_the_call();
	for (int i = 0; i < 1000; i++) {
		CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0 && clock_gettime(CLOCK_MONOTONIC, &time) == 0);
		CHECK(time.tv_sec > last.tv_sec || (time.tv_sec == last.tv_sec && time.tv_nsec >= last.tv_nsec));
		last = time;
	}
}

static void calls(void)
{
	struct timespec time[2];

	forbid_the_call();
	syscall(CALL, CLOCK_MONOTONIC, time);
}

int main(void)
{
	CHECK(passed(status_of(reads_clocks)));
	CHECK(died_of(status_of(calls), SIGSYS));
}
