// SPDX-License-Identifier: MIT OR Apache-2.0
// A call with 64-bit times has the name that says so. Where a program finds the plain name too, it takes that for
// another call, with times of the size of a long.
#include "test.h"

#if defined SYS_clock_gettime || defined SYS_clock_settime || defined SYS_clock_nanosleep || defined SYS_futex \
	|| defined SYS_timer_settime || defined SYS_timerfd_settime || defined SYS_ppoll || defined SYS_pselect6 \
	|| defined SYS_utimensat || defined SYS_recvmmsg || defined SYS_rt_sigtimedwait || defined SYS_semtimedop \
	|| defined SYS_mq_timedsend || defined SYS_sched_rr_get_interval || defined __NR_io_pgetevents
#error "a plain name of a call with 64-bit times"
#endif

int main(void)
{
	struct timespec kernel, libc;
	CHECK(!syscall(SYS_clock_gettime64, CLOCK_REALTIME, &kernel));
	CHECK(!clock_gettime(CLOCK_REALTIME, &libc));
	CHECK(libc.tv_sec - kernel.tv_sec <= 2);
	int word = 0;
	CHECK(syscall(SYS_futex_time64, &word, 0 /* FUTEX_WAIT */, 1, NULL, NULL, 0) == -1 && errno == EAGAIN);
}
