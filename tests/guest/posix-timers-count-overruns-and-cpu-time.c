// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static void wait_for_signal(int signal, int value)
{
	sigset_t mask;
	siginfo_t info;
	sigemptyset(&mask);
	sigaddset(&mask, signal);
	CHECK(sigwaitinfo(&mask, &info) == signal && info.si_code == SI_TIMER && info.si_value.sival_int == value);
}

static timer_t make(clockid_t clock, int signal, int value)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal, .sigev_value.sival_int = value };
	CHECK(timer_create(clock, &event, &timer) == 0);
	return timer;
}

static void set(timer_t timer, int flags, struct timespec first, struct timespec every)
{
	CHECK(timer_settime(timer, flags, &(struct itimerspec){ .it_value = first, .it_interval = every }, 0) == 0);
}

static volatile int expired;

static void expires(int signal)
{
	expired += signal == SIGUSR1;
}

int main(void)
{
	struct timespec ms5 = { 0, 5000000 }, now, zero = { 0 };
	struct itimerspec left;
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	CHECK(sigprocmask(SIG_BLOCK, &mask, 0) == 0);
	// One signal waits, and counts those that it stands for.
	timer_t timer = make(CLOCK_MONOTONIC, SIGRTMIN, 3);
	set(timer, 0, ms5, ms5);
	sleep_ms(53);
	wait_for_signal(SIGRTMIN, 3);
	CHECK(timer_getoverrun(timer) >= 8);
	CHECK(timer_gettime(timer, &left) == 0 && left.it_interval.tv_nsec == 5000000 && left.it_value.tv_nsec <= 5000000);
	set(timer, 0, zero, zero);
	// At a point in time.
	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	now.tv_nsec += 10000000;
	if (now.tv_nsec >= 1000000000) now.tv_sec++, now.tv_nsec -= 1000000000;
	sigtimedwait(&mask, 0, &zero);
	set(timer, TIMER_ABSTIME, now, zero);
	wait_for_signal(SIGRTMIN, 3);
	CHECK(seconds_of(CLOCK_MONOTONIC) >= now.tv_sec + now.tv_nsec / 1e9);
	CHECK(timer_delete(timer) == 0);
	// The processor time of the process and of the thread.
	clockid_t clocks[2] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	handle(SIGUSR1, expires, 0);
	for (int i = 0; i < 2; i++) {
		timer = make(clocks[i], SIGUSR1, 0);
		expired = 0;
		double before = seconds_of(clocks[i]);
		set(timer, 0, (struct timespec){ 0, 50000000 }, zero);
		sleep_ms(100);
		CHECK(!expired);
		while (!expired);
		CHECK(seconds_of(clocks[i]) - before >= 0.05 && seconds_of(clocks[i]) - before < 5);
		CHECK(timer_delete(timer) == 0);
	}
	CHECK(timer_gettime(timer, &left) == -1 && errno == EINVAL);
}
