/* path_*: making, finding, moving and removing. */
#include "wasi.h"

static char buffer[65536];

/* How many entries a directory has, read through a buffer of that size. */
static uint32_t entries(fd_t fd, size_t size, uint32_t *directories)
{
	uint64_t cookie = 0;
	uint32_t count = 0;
	*directories = 0;
	for (;;) {
		size_t used, at = 0;
		ok(fd_readdir(fd, buffer, size, cookie, &used));
		yes(used <= size);
		while (at + 24 <= used) {
			struct dirent entry;
			__builtin_memcpy(&entry, buffer + at, 24);
			if (at + 24 + entry.len > used)
				break;
			at += 24 + entry.len;
			cookie = entry.next;
			count++;
			*directories += entry.type == IS_DIRECTORY;
		}
		if (used < size)
			return count;
	}
}

void _start(void)
{
	fd_t fd, dir;
	size_t used;
	struct filestat a, b;
	uint32_t directories;

	ok(path_create_directory(ROOT, PATH("dir")));
	is(path_create_directory(ROOT, PATH("dir")), EXIST);
	ok(path_create_directory(ROOT, PATH("dir/nested/")));
	is(path_create_directory(ROOT, PATH("none/nested")), NOENT);
	ok(make(ROOT, "dir/nested/file", "text"));
	ok(open_at(ROOT, "dir/.//nested/../../dir/nested/../nested///./file", 0, 0, FD_READ, &fd));
	yes(holds(fd, 0, "text"));
	ok(fd_close(fd));
	is(open_at(ROOT, "dir/nested/file/", 0, 0, FD_READ, &fd), NOTDIR);
	is(open_at(ROOT, "dir/nested/file/x", 0, 0, FD_READ, &fd), NOTDIR);
	is(open_at(ROOT, "dir/nested/file/..", 0, 0, FD_READ, &fd), NOTDIR);
	is(open_at(ROOT, "dir/nested/file", 0, DIRECTORY, FD_READ, &fd), NOTDIR);
	is(open_at(ROOT, "dir/nested/file", 0, CREAT | EXCL, FD_READ, &fd), EXIST);
	is(open_at(ROOT, "dir/none", 0, 0, FD_READ, &fd), NOENT);
	is(open_at(ROOT, "", 0, 0, FD_READ, &fd), NOENT);
	is(open_at(ROOT, "dir/new/", 0, CREAT, READ_WRITE, &fd), ISDIR);
	is(open_at(ROOT, "dir", 0, 0, FD_WRITE, &fd), ISDIR);
	is(path_open(ROOT, 0, "dir\0x", 5, 0, 0, 0, 0, &fd), INVAL);
	is(path_open(ROOT, 0, "\xff", 1, 0, 0, 0, 0, &fd), ILSEQ);
	is(path_open(ROOT, 0, (char *)0xfffffff0, 64, 0, 0, 0, 0, &fd), FAULT);
	is(path_open(ROOT, 2, PATH("dir"), 0, 0, 0, 0, &fd), INVAL);
	is(path_open(ROOT, 0, PATH("dir"), 16, 0, 0, 0, &fd), INVAL);
	is(path_open(1, 0, PATH("dir"), 0, 0, 0, 0, &fd), NOTDIR);
	is(path_open(77, 0, PATH("dir"), 0, 0, 0, 0, &fd), BADF);
	ok(open_at(ROOT, "dir/", 0, DIRECTORY, FD_READ, &dir));

	/* Links. */
	ok(path_symlink(PATH("nested/file"), dir, PATH("link")));
	is(path_symlink(PATH("x"), dir, PATH("link")), EXIST);
	is(path_symlink(PATH("x"), dir, PATH("new/")), NOENT);
	ok(path_readlink(dir, PATH("link"), buffer, 100, &used));
	is(used, 11);
	yes(is_same(buffer, "nested/file", 11));
	ok(path_readlink(dir, PATH("link"), buffer, 3, &used));
	is(used, 3);
	is(path_readlink(dir, PATH("nested"), buffer, 100, &used), INVAL);
	is(open_at(dir, "link", 0, 0, FD_READ, &fd), LOOP);
	ok(open_at(dir, "link", FOLLOW, 0, FD_READ, &fd));
	yes(holds(fd, 0, "text"));
	ok(fd_close(fd));
	ok(path_filestat_get(dir, 0, PATH("link"), &a));
	is(a.type, IS_LINK);
	ok(path_filestat_get(dir, FOLLOW, PATH("link"), &a));
	is(a.type, IS_FILE);
	is(a.size, 4);
	ok(path_symlink(PATH("nested"), dir, PATH("short")));
	ok(path_filestat_get(dir, 0, PATH("short/file"), &b));
	is(b.inode, a.inode);
	ok(path_filestat_get(dir, 0, PATH("short/"), &b));
	is(b.type, IS_DIRECTORY);
	ok(path_filestat_get(dir, 0, PATH("short/.."), &b));
	is(b.type, IS_DIRECTORY);
	is(path_filestat_get(dir, 0, PATH("link/"), &b), NOTDIR);
	is(path_readlink(dir, PATH("short/"), buffer, 100, &used), INVAL);
	ok(path_symlink(PATH("loop"), dir, PATH("loop")));
	is(open_at(dir, "loop", FOLLOW, 0, FD_READ, &fd), LOOP);
	ok(path_symlink(PATH("created"), dir, PATH("dangling")));
	is(open_at(dir, "dangling", FOLLOW, 0, FD_READ, &fd), NOENT);
	ok(open_at(dir, "dangling", FOLLOW, CREAT, READ_WRITE, &fd));
	ok(fd_close(fd));
	ok(path_unlink_file(dir, PATH("created")));

	/* Times of a link, and of what it leads to. */
	ok(path_filestat_set_times(dir, 0, PATH("link"), 0, 5000000000, 4));
	ok(path_filestat_get(dir, 0, PATH("link"), &b));
	is(b.mtime, 5000000000);
	ok(path_filestat_get(dir, FOLLOW, PATH("link"), &b));
	is(b.mtime, a.mtime);
	ok(path_filestat_set_times(dir, FOLLOW, PATH("link"), 0, 7000000000, 4));
	ok(path_filestat_get(dir, 0, PATH("nested/file"), &b));
	is(b.mtime, 7000000000);

	/* Hard links. */
	ok(path_link(ROOT, 0, PATH("dir/nested/file"), dir, PATH("hard")));
	ok(path_filestat_get(dir, 0, PATH("hard"), &b));
	yes(b.inode == a.inode && b.links == 2);
	is(path_link(dir, 0, PATH("hard"), dir, PATH("hard")), EXIST);
	is(path_link(dir, 0, PATH("hard"), dir, PATH("new/")), NOENT);
	is(path_link(dir, FOLLOW, PATH("link"), dir, PATH("new")), INVAL);
	is(path_link(dir, 0, PATH("nested"), dir, PATH("new")), PERM);
	ok(path_link(dir, 0, PATH("link"), dir, PATH("link2")));
	ok(path_filestat_get(dir, 0, PATH("link2"), &b));
	is(b.type, IS_LINK);

	/* Moving. */
	ok(path_rename(dir, PATH("hard"), ROOT, PATH("dir/moved")));
	ok(path_rename(dir, PATH("moved"), dir, PATH("link2")));
	ok(path_filestat_get(dir, 0, PATH("link2"), &b));
	is(b.inode, a.inode);
	is(path_rename(dir, PATH("none"), dir, PATH("x")), NOENT);
	is(path_rename(dir, PATH("link2/"), dir, PATH("x")), NOTDIR);
	is(path_rename(dir, PATH("nested"), dir, PATH("link2")), NOTDIR);
	is(path_rename(dir, PATH("link2"), dir, PATH("nested")), ISDIR);
	ok(path_rename(dir, PATH("nested/"), dir, PATH("other/")));
	ok(path_rename(dir, PATH("other"), dir, PATH("nested")));

	/* Many entries, through buffers of all sizes. */
	is(entries(dir, sizeof buffer, &directories), 8);
	is(directories, 3);
	for (int i = 0; i < 300; i++) {
		char name[] = "nested/entry-000";
		name[13] += i / 100, name[14] += i / 10 % 10, name[15] += i % 10;
		ok(make(dir, name, ""));
	}
	ok(open_at(dir, "nested", 0, DIRECTORY, FD_READ, &fd));
	is(entries(fd, 100, &directories), 303);
	is(entries(fd, 1000, &directories), 303);
	is(entries(fd, sizeof buffer, &directories), 303);
	is(fd_readdir(0, buffer, 100, 0, &used), NOTDIR);
	ok(fd_close(fd));

	/* Removing. */
	is(path_remove_directory(dir, PATH("nested")), NOTEMPTY);
	is(path_unlink_file(dir, PATH("nested")), ISDIR);
	is(path_unlink_file(dir, PATH("nested/")), ISDIR);
	is(path_remove_directory(dir, PATH("link")), NOTDIR);
	is(path_unlink_file(dir, PATH("link/")), NOTDIR);
	is(path_remove_directory(dir, PATH("short/")), NOTDIR);
	ok(path_unlink_file(dir, PATH("link")));
	is(path_unlink_file(dir, PATH("link")), NOENT);
	ok(path_create_directory(dir, PATH("empty")));
	ok(path_remove_directory(dir, PATH("empty/")));
	proc_exit(0);
}
