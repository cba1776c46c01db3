/* fd_*: one file in all ways. */
#include "wasi.h"

void _start(void)
{
	fd_t fd, other;
	size_t done;
	uint64_t at;
	struct fdstat stat;
	struct filestat file;
	char a[4], b[8];

	/* What a directory is. */
	struct prestat pre;
	ok(fd_prestat_get(ROOT, &pre));
	is(pre.tag, 0);
	is(pre.len, 1);
	ok(fd_prestat_dir_name(ROOT, a, 4));
	is(a[0], '/');
	is(fd_prestat_dir_name(ROOT, a, 0), NAMETOOLONG);
	is(fd_prestat_get(0, &pre), BADF);
	is(fd_prestat_get(4, &pre), BADF);
	ok(fd_fdstat_get(ROOT, &stat));
	is(stat.type, IS_DIRECTORY);
	is(fd_seek(ROOT, 0, 0, &at), BADF);
	is(fd_tell(ROOT, &at), BADF);
	struct vector va = {a, 4};
	is(fd_read(ROOT, &va, 1, &done), ISDIR);
	is(fd_write(ROOT, &va, 1, &done), BADF);

	ok(open_at(ROOT, "file", 0, CREAT | EXCL, READ_WRITE, &fd));
	is(fd, 4);
	ok(fd_fdstat_get(fd, &stat));
	is(stat.type, IS_FILE);
	is(stat.flags, 0);
	yes((stat.base & READ_WRITE) == READ_WRITE);

	/* Vectors, and where the file is read and written. */
	struct vector out[] = {{"he", 2}, {"", 0}, {"llo, world", 10}};
	ok(fd_write(fd, out, 3, &done));
	is(done, 12);
	ok(fd_tell(fd, &at));
	is(at, 12);
	ok(fd_seek(fd, -5, 2, &at));
	is(at, 7);
	struct vector in[] = {{a, 2}, {b, 8}};
	ok(fd_read(fd, in, 2, &done));
	is(done, 5);
	yes(is_same(a, "wo", 2) && is_same(b, "rld", 3));
	ok(fd_read(fd, in, 2, &done));
	is(done, 0);
	is(fd_seek(fd, -1, 0, &at), INVAL);
	is(fd_seek(fd, 0, 3, &at), INVAL);
	ok(fd_pwrite(fd, out, 1, 5, &done));
	yes(holds(fd, 0, "hellohe" "world"));
	ok(fd_tell(fd, &at));
	is(at, 12);
	is(fd_pread(fd, in, 2, -1, &done), INVAL);

	/* Bad addresses: nothing is read or written. */
	struct vector bad[] = {{a, 2}, {(void *)0xfffffff0, 64}};
	is(fd_read(fd, bad, 2, &done), FAULT);
	is(fd_write(fd, bad, 2, &done), FAULT);
	is(fd_write(fd, (struct vector *)0xfffffff8, 2, &done), FAULT);
	is(fd_write(fd, out, 0x20000000, &done), INVAL);
	is(fd_write(fd, out, 1, (size_t *)0xfffffffd), FAULT);
	yes(holds(fd, 0, "hellohe" "world"));

	/* Size, space, times. */
	ok(fd_filestat_set_size(fd, 4));
	ok(fd_filestat_get(fd, &file));
	is(file.size, 4);
	is(file.type, IS_FILE);
	is(file.links, 1);
	ok(fd_allocate(fd, 0, 100));
	ok(fd_filestat_get(fd, &file));
	is(file.size, 100);
	is(fd_filestat_set_size(fd, -1), INVAL);
	ok(fd_filestat_set_times(fd, 1000000001, 2000000002, 1 | 4));
	ok(fd_filestat_get(fd, &file));
	yes(file.atime == 1000000001 && file.mtime == 2000000002);
	ok(fd_filestat_set_times(fd, 0, 0, 8));
	ok(fd_filestat_get(fd, &file));
	yes(file.atime == 1000000001 && file.mtime > 1577836800000000000);
	is(fd_filestat_set_times(fd, 0, 0, 3), INVAL);
	is(fd_filestat_set_times(fd, 0, 0, 12), INVAL);
	is(fd_filestat_set_times(fd, 0, 0, 16), INVAL);
	for (uint32_t advice = 0; advice < 6; advice++)
		ok(fd_advise(fd, 0, 10, advice));
	is(fd_advise(fd, 0, 10, 6), INVAL);
	ok(fd_sync(fd));
	ok(fd_datasync(fd));

	/* Appending, until the flag is taken away. */
	ok(fd_filestat_set_size(fd, 2));
	ok(fd_fdstat_set_flags(fd, APPEND));
	ok(fd_fdstat_get(fd, &stat));
	is(stat.flags, APPEND);
	ok(fd_seek(fd, 0, 0, &at));
	ok(write_text(fd, "y"));
	yes(holds(fd, 0, "hey"));
	ok(fd_fdstat_set_flags(fd, 0));
	ok(fd_seek(fd, 0, 0, &at));
	ok(write_text(fd, "H"));
	yes(holds(fd, 0, "Hey"));
	is(fd_fdstat_set_flags(fd, 32), INVAL);

	/* What a file is not opened for. */
	ok(open_at(ROOT, "file", 0, 0, FD_READ, &other));
	is(other, 5);
	is(write_text(other, "x"), BADF);
	ok(fd_close(other));
	ok(open_at(ROOT, "file", 0, TRUNC, FD_WRITE, &other));
	is(fd_read(other, in, 1, &done), BADF);
	ok(write_text(other, "new"));
	ok(fd_fdstat_get(other, &stat));
	yes((stat.base & (FD_READ | FD_WRITE)) == FD_WRITE);

	/* Rights can be dropped, and do not come back. */
	ok(fd_fdstat_get(fd, &stat));
	ok(fd_fdstat_set_rights(fd, stat.base & ~FD_WRITE, stat.inheriting));
	is(write_text(fd, "x"), NOTCAPABLE);
	is(fd_fdstat_set_rights(fd, stat.base, stat.inheriting), NOTCAPABLE);
	yes(holds(fd, 0, "new"));

	/* Numbers. */
	ok(fd_renumber(fd, other));
	yes(holds(other, 0, "new"));
	is(fd_close(fd), BADF);
	is(fd_renumber(other, fd), BADF);
	is(fd_renumber(fd, other), BADF);
	ok(fd_renumber(other, other));
	ok(open_at(ROOT, "file", 0, 0, FD_READ, &fd));
	is(fd, 4);
	ok(fd_close(fd));
	ok(fd_close(other));
	is(fd_close(other), BADF);
	is(fd_close(~0u), BADF);
	is(fd_fdstat_get(1000, &stat), BADF);
	proc_exit(0);
}
