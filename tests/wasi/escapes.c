/* Nothing leads out of a directory. Beside it lie `secret`, which says "secret", and `secrets` with a file of that
   name; in it the links
     absolute -> .../secret    up -> ../secret      parent -> ..       root -> /
     deep/up -> ../../secret   deep/over -> ../parent     loop -> self/loop     self -> .
     inside -> deep/../file    process -> /proc/self/root
   and `file`, which says "file". */
#include "wasi.h"

/* All that a path can be used for. */
static void refuse(const char *path)
{
	fd_t fd;
	size_t used;
	struct filestat stat;
	char buffer[64];

	for (uint32_t how = 0; how < 16; how++) {
		if ((how & CREAT) && (how & DIRECTORY))
			continue;
		errno_t error = open_at(ROOT, path, FOLLOW, how, READ_WRITE, &fd);
		/* A link is there already, if that is asked. */
		yes(error == PERM || (error == EXIST && (how & EXCL)) || (error == ISDIR && (how & CREAT))
		    || (error == NOTDIR && (how & DIRECTORY)));
	}
	is(open_at(ROOT, path, FOLLOW, 0, FD_READ, &fd), PERM);
	is(path_filestat_get(ROOT, FOLLOW, PATH(path), &stat), PERM);
	is(path_filestat_set_times(ROOT, FOLLOW, PATH(path), 0, 0, 4), PERM);
	(void)used, (void)buffer;
}

/* Paths whose last name is beyond what the directory holds. */
static void refuse_names(const char *path)
{
	fd_t fd;
	size_t used;
	struct filestat stat;
	char buffer[64];

	is(open_at(ROOT, path, 0, 0, FD_READ, &fd), PERM);
	/* The host may say first that it makes no directories. */
	errno_t error = open_at(ROOT, path, 0, CREAT, READ_WRITE, &fd);
	yes(error == PERM || error == ISDIR);
	is(path_filestat_get(ROOT, 0, PATH(path), &stat), PERM);
	is(path_filestat_set_times(ROOT, 0, PATH(path), 0, 0, 4), PERM);
	/* With a slash behind it, a link is what the name is, and is there, or no directory. */
	bool is_name = path[length(path) - 1] == '/';
	const errno_t errors[] = {
		path_readlink(ROOT, PATH(path), buffer, sizeof buffer, &used),
		path_create_directory(ROOT, PATH(path)),
		path_remove_directory(ROOT, PATH(path)),
		path_unlink_file(ROOT, PATH(path)),
		path_symlink(PATH("file"), ROOT, PATH(path)),
		path_link(ROOT, 0, PATH(path), ROOT, PATH("new")),
		path_link(ROOT, 0, PATH("file"), ROOT, PATH(path)),
		path_rename(ROOT, PATH(path), ROOT, PATH("new")),
		path_rename(ROOT, PATH("file"), ROOT, PATH(path)),
	};
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		yes(errors[i] == PERM || (is_name && (errors[i] == EXIST || errors[i] == NOTDIR)));
}

void _start(void)
{
	static const char *const links[] = {"absolute", "up", "parent", "root", "deep/up", "deep/over", "process"};
	static const char *const names[] = {
		"..", "../", "../secret", "../secrets/secret", "./../secret", "deep/../../secret", "deep/../..",
		"deep/./.././../secret", "/", "/etc/passwd", "//etc", "parent/secret", "parent/secrets/", "parent/.",
		"parent/..", "parent/", "parent/../secret", "self/../secret", "self/parent/secret", "root/etc/passwd",
		"root/", "deep/over/secret", "deep/over/", "process/etc/passwd", "process/", "self/self/..",
		"../in/file", "parent/in/file",
	};
	fd_t fd, dir;
	size_t used;
	struct filestat stat;
	struct fdstat flags;
	char buffer[512];

	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		refuse(links[i]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		refuse_names(names[i]);
		is(open_at(ROOT, names[i], FOLLOW, 0, FD_READ, &fd), PERM);
	}

	/* The links themselves are the directory's. */
	ok(path_filestat_get(ROOT, 0, PATH("up"), &stat));
	is(stat.type, IS_LINK);
	ok(path_readlink(ROOT, PATH("up"), buffer, sizeof buffer, &used));
	/* Where an absolute one leads is nothing to know. */
	is(path_readlink(ROOT, PATH("absolute"), buffer, sizeof buffer, &used), PERM);
	is(path_symlink(PATH("/etc/passwd"), ROOT, PATH("new")), PERM);
	/* A new one that leads out is of no use. */
	ok(path_symlink(PATH("../secret"), ROOT, PATH("mine")));
	refuse("mine");
	ok(path_symlink(PATH(".."), ROOT, PATH("deep/mine")));
	ok(path_filestat_get(ROOT, FOLLOW, PATH("deep/mine"), &stat));
	refuse_names("deep/mine/../secret");
	/* Moved up, it leads further up. */
	ok(path_rename(ROOT, PATH("deep/mine"), ROOT, PATH("moved")));
	refuse("moved");
	refuse_names("moved/secret");
	ok(path_unlink_file(ROOT, PATH("moved")));
	ok(path_unlink_file(ROOT, PATH("mine")));

	/* Inside, the same kinds of paths work. */
	ok(open_at(ROOT, "inside", FOLLOW, 0, FD_READ, &fd));
	yes(holds(fd, 0, "file"));
	ok(fd_close(fd));
	ok(open_at(ROOT, "self/self/deep/../file", 0, 0, FD_READ, &fd));
	ok(fd_close(fd));
	is(open_at(ROOT, "loop", FOLLOW, 0, FD_READ, &fd), LOOP);

	/* A directory further down is a wall of its own. */
	ok(open_at(ROOT, "deep", 0, DIRECTORY, FD_READ, &dir));
	is(open_at(dir, "../file", 0, 0, FD_READ, &fd), PERM);
	is(open_at(dir, "..", 0, DIRECTORY, FD_READ, &fd), PERM);
	ok(open_at(dir, ".", 0, DIRECTORY, FD_READ, &fd));
	is(open_at(fd, "../file", 0, 0, FD_READ, &fd), PERM);
	is(path_rename(ROOT, PATH("file"), dir, PATH("../new")), PERM);
	is(path_link(dir, 0, PATH("../file"), dir, PATH("new")), PERM);

	/* `..` tells nothing of what is above. */
	ok(fd_filestat_get(ROOT, &stat));
	ok(fd_readdir(ROOT, buffer, sizeof buffer, 0, &used));
	for (size_t at = 0; at + 24 <= used;) {
		struct dirent entry;
		__builtin_memcpy(&entry, buffer + at, 24);
		if (entry.len == 2 && is_same(buffer + at + 24, "..", 2))
			yes(entry.inode == stat.inode);
		at += 24 + entry.len;
	}

	/* Rights that a directory has lost are not in what is opened there. */
	ok(fd_fdstat_get(ROOT, &flags));
	ok(fd_fdstat_set_rights(ROOT, flags.base, flags.inheriting & ~FD_WRITE));
	ok(open_at(ROOT, "file", 0, 0, READ_WRITE, &fd));
	is(write_text(fd, "x"), BADF);
	proc_exit(0);
}
