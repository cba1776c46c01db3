// SPDX-License-Identifier: MIT OR Apache-2.0
// Each expiry runs the function in a thread, with thread-local variables as they are at a start.
#include <pthread.h>
#include <semaphore.h>

#include "test.h"

static sem_t notified;
static pthread_t main_thread;
static volatile int value, in_main, local_seen;
static _Thread_local int local = 5;

static void notify(union sigval v)
{
	value = v.sival_int;
	in_main += pthread_equal(pthread_self(), main_thread) != 0;
	local_seen = local++;
	sem_post(&notified);
}

int main(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_value.sival_int = 7,
		.sigev_notify_function = notify,
	};
	struct itimerspec every = { { 0, 10000000 }, { 0, 10000000 } };
	timer_t timer;

	main_thread = pthread_self();
	CHECK(!sem_init(&notified, 0, 0));
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &every, 0));
	for (int i = 0; i < 3; i++) {
		CHECK(!sem_wait(&notified));
		CHECK(value == 7 && in_main == 0 && local_seen == 5);
	}
	CHECK(!timer_delete(timer));
	return 0;
}
