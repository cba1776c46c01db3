/* poll_oneoff. Standard input is a pipe that holds "input" and is open. */
#include "wasi.h"

enum { CLOCK, READ, WRITE };

static uint64_t now(uint32_t id)
{
	uint64_t ns;
	ok(clock_time_get(id, 0, &ns));
	return ns;
}

void _start(void)
{
	struct subscription in[3] = {0};
	struct event out[3];
	size_t count;
	uint64_t begin;
	char buffer[16];
	struct vector v = {buffer, sizeof buffer};

	is(poll_oneoff(in, out, 0, &count), INVAL);
	is(poll_oneoff((void *)0xfffffff0, out, 1, &count), FAULT);
	is(poll_oneoff(in, (void *)0xfffffff0, 1, &count), FAULT);

	/* A time from now, and one by the clock. */
	for (uint32_t id = 0; id < 2; id++) {
		in[0] = (struct subscription){.user = 7, .type = CLOCK, .clock = {id, 20000000, 0, 0}};
		begin = now(id);
		ok(poll_oneoff(in, out, 1, &count));
		yes(now(id) - begin >= 20000000);
		is(count, 1);
		yes(out[0].user == 7 && out[0].error == 0 && out[0].type == CLOCK);
		in[0].clock.timeout = now(id) + 20000000;
		in[0].clock.flags = 1;
		ok(poll_oneoff(in, out, 1, &count));
		yes(now(id) >= in[0].clock.timeout);
	}
	in[0].clock.timeout = 1;
	ok(poll_oneoff(in, out, 1, &count));
	is(count, 1);

	/* The first of several. */
	in[0] = (struct subscription){.user = 1, .type = CLOCK, .clock = {1, 10000000000, 0, 0}};
	in[1] = (struct subscription){.user = 2, .type = READ, .fd = 0};
	in[2] = (struct subscription){.user = 3, .type = WRITE, .fd = 1};
	ok(poll_oneoff(in, out, 3, &count));
	is(count, 2);
	yes(out[0].user == 2 && out[0].type == READ && out[0].error == 0 && out[0].bytes == 5);
	yes(out[1].user == 3 && out[1].type == WRITE && out[1].error == 0);
	ok(fd_read(0, &v, 1, &count));
	is(count, 5);
	in[0].clock.timeout = 10000000;
	ok(poll_oneoff(in, out, 2, &count));
	is(count, 1);
	is(out[0].user, 1);

	/* What is wrong is an event. */
	in[1].fd = 99;
	ok(poll_oneoff(in, out, 2, &count));
	is(count, 1);
	yes(out[0].user == 2 && out[0].error == BADF);
	in[1] = (struct subscription){.user = 4, .type = CLOCK, .clock = {9, 0, 0, 0}};
	ok(poll_oneoff(in, out, 2, &count));
	yes(count == 1 && out[0].error == INVAL);
	in[1].type = 3;
	is(poll_oneoff(in, out, 2, &count), INVAL);

	/* A file can always be read; so much of it. */
	fd_t fd;
	ok(make(ROOT, "polled", "0123456789"));
	ok(open_at(ROOT, "polled", 0, 0, READ_WRITE, &fd));
	v.len = 3;
	ok(fd_read(fd, &v, 1, &count));
	in[0] = (struct subscription){.user = 5, .type = READ, .fd = fd};
	ok(poll_oneoff(in, out, 1, &count));
	yes(count == 1 && out[0].bytes == 7);
	proc_exit(0);
}
