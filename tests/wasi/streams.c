/* Standard streams: a pipe in, a pipe out; and what is closed is not there. Argument: "closed" or nothing. */
#include "wasi.h"

void _start(void)
{
	struct fdstat stat;
	size_t count, size, done;
	uint64_t at;
	char buffer[4096];
	struct vector v = {buffer, sizeof buffer};

	ok(args_sizes_get(&count, &size));
	if (count > 1) {
		is(fd_fdstat_get(0, &stat), BADF);
		is(fd_read(0, &v, 1, &done), BADF);
		/* Nothing else takes its place by accident: the directory has its own number. */
		ok(fd_fdstat_get(ROOT, &stat));
		is(stat.type, IS_DIRECTORY);
		fd_t fd;
		ok(open_at(ROOT, "new", 0, CREAT, READ_WRITE, &fd));
		is(fd, 0);
		proc_exit(0);
	}
	ok(fd_fdstat_get(0, &stat));
	is(fd_seek(0, 0, 1, &at), SPIPE);
	is(write_text(0, "x"), BADF);
	for (;;) {
		v.len = sizeof buffer;
		ok(fd_read(0, &v, 1, &done));
		if (!done)
			break;
		v.len = done;
		ok(fd_write(1, &v, 1, &done));
		is(done, v.len);
	}
	/* The host's standard error stays open for what the runtime has to say. */
	ok(fd_close(2));
	__builtin_trap();
}
