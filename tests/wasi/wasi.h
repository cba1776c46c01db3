/* WASI preview 1 without a C library, for tests. A test ends with 0, or says which line is wrong. */

#ifndef WASI_H
#define WASI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

typedef uint32_t fd_t;
typedef uint16_t errno_t;

enum {
	SUCCESS = 0, ACCES = 2, AGAIN = 6, BADF = 8, EXIST = 20, FAULT = 21, ILSEQ = 25, INVAL = 28,
	ISDIR = 31, LOOP = 32, NAMETOOLONG = 37, NOENT = 44, NOTCONN = 53, NOTDIR = 54, NOTEMPTY = 55,
	NOTSOCK = 57, NOTSUP = 58, PERM = 63, SPIPE = 70, NOTCAPABLE = 76,
};

enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { APPEND = 1, NONBLOCK = 4 };
enum { FOLLOW = 1 };
enum { IS_CHARACTER = 2, IS_DIRECTORY = 3, IS_FILE = 4, IS_SOCKET = 6, IS_LINK = 7 };
#define FD_READ (1ull << 1)
#define FD_SEEK (1ull << 2)
#define FD_TELL (1ull << 5)
#define FD_WRITE (1ull << 6)
#define READ_WRITE (FD_READ | FD_WRITE | FD_SEEK | FD_TELL)

struct vector { const void *at; size_t len; };
struct fdstat { uint8_t type; uint16_t flags; uint64_t base, inheriting; };
struct filestat { uint64_t device, inode; uint8_t type; uint64_t links, size, atime, mtime, ctime; };
struct prestat { uint32_t tag, len; };
struct dirent { uint64_t next, inode; uint32_t len; uint8_t type; };
struct subscription {
	uint64_t user;
	uint8_t type;
	union {
		struct { uint32_t id; uint64_t timeout, precision; uint16_t flags; } clock;
		fd_t fd;
	};
};
struct event { uint64_t user; uint16_t error; uint8_t type; uint64_t bytes; uint16_t flags; };

WASI(args_get) errno_t args_get(char **list, char *buffer);
WASI(args_sizes_get) errno_t args_sizes_get(size_t *count, size_t *size);
WASI(environ_get) errno_t environ_get(char **list, char *buffer);
WASI(environ_sizes_get) errno_t environ_sizes_get(size_t *count, size_t *size);
WASI(clock_res_get) errno_t clock_res_get(uint32_t id, uint64_t *ns);
WASI(clock_time_get) errno_t clock_time_get(uint32_t id, uint64_t precision, uint64_t *ns);
WASI(fd_advise) errno_t fd_advise(fd_t fd, uint64_t at, uint64_t len, uint32_t advice);
WASI(fd_allocate) errno_t fd_allocate(fd_t fd, uint64_t at, uint64_t len);
WASI(fd_close) errno_t fd_close(fd_t fd);
WASI(fd_datasync) errno_t fd_datasync(fd_t fd);
WASI(fd_fdstat_get) errno_t fd_fdstat_get(fd_t fd, struct fdstat *stat);
WASI(fd_fdstat_set_flags) errno_t fd_fdstat_set_flags(fd_t fd, uint32_t flags);
WASI(fd_fdstat_set_rights) errno_t fd_fdstat_set_rights(fd_t fd, uint64_t base, uint64_t inheriting);
WASI(fd_filestat_get) errno_t fd_filestat_get(fd_t fd, struct filestat *stat);
WASI(fd_filestat_set_size) errno_t fd_filestat_set_size(fd_t fd, uint64_t size);
WASI(fd_filestat_set_times) errno_t fd_filestat_set_times(fd_t fd, uint64_t a, uint64_t m, uint32_t how);
WASI(fd_pread) errno_t fd_pread(fd_t fd, const struct vector *v, size_t n, uint64_t at, size_t *done);
WASI(fd_prestat_get) errno_t fd_prestat_get(fd_t fd, struct prestat *stat);
WASI(fd_prestat_dir_name) errno_t fd_prestat_dir_name(fd_t fd, char *name, size_t size);
WASI(fd_pwrite) errno_t fd_pwrite(fd_t fd, const struct vector *v, size_t n, uint64_t at, size_t *done);
WASI(fd_read) errno_t fd_read(fd_t fd, const struct vector *v, size_t n, size_t *done);
WASI(fd_readdir) errno_t fd_readdir(fd_t fd, void *at, size_t size, uint64_t cookie, size_t *used);
WASI(fd_renumber) errno_t fd_renumber(fd_t from, fd_t to);
WASI(fd_seek) errno_t fd_seek(fd_t fd, int64_t offset, uint32_t whence, uint64_t *at);
WASI(fd_sync) errno_t fd_sync(fd_t fd);
WASI(fd_tell) errno_t fd_tell(fd_t fd, uint64_t *at);
WASI(fd_write) errno_t fd_write(fd_t fd, const struct vector *v, size_t n, size_t *done);
WASI(path_create_directory) errno_t path_create_directory(fd_t fd, const char *path, size_t len);
WASI(path_filestat_get)
errno_t path_filestat_get(fd_t fd, uint32_t lookup, const char *path, size_t len, struct filestat *stat);
WASI(path_filestat_set_times)
errno_t path_filestat_set_times(fd_t fd, uint32_t lookup, const char *path, size_t len, uint64_t a, uint64_t m,
				uint32_t how);
WASI(path_link)
errno_t path_link(fd_t fd, uint32_t lookup, const char *path, size_t len, fd_t to, const char *name, size_t size);
WASI(path_open)
errno_t path_open(fd_t fd, uint32_t lookup, const char *path, size_t len, uint32_t how, uint64_t base,
		  uint64_t inheriting, uint32_t flags, fd_t *opened);
WASI(path_readlink)
errno_t path_readlink(fd_t fd, const char *path, size_t len, char *buffer, size_t size, size_t *used);
WASI(path_remove_directory) errno_t path_remove_directory(fd_t fd, const char *path, size_t len);
WASI(path_rename)
errno_t path_rename(fd_t fd, const char *path, size_t len, fd_t to, const char *name, size_t size);
WASI(path_symlink) errno_t path_symlink(const char *target, size_t size, fd_t fd, const char *path, size_t len);
WASI(path_unlink_file) errno_t path_unlink_file(fd_t fd, const char *path, size_t len);
WASI(poll_oneoff)
errno_t poll_oneoff(const struct subscription *in, struct event *out, size_t count, size_t *events);
WASI(proc_exit) _Noreturn void proc_exit(uint32_t status);
WASI(proc_raise) errno_t proc_raise(uint32_t signal);
WASI(random_get) errno_t random_get(void *at, size_t size);
WASI(sched_yield) errno_t sched_yield(void);
WASI(sock_accept) errno_t sock_accept(fd_t fd, uint32_t flags, fd_t *accepted);
WASI(sock_recv)
errno_t sock_recv(fd_t fd, const struct vector *v, size_t n, uint32_t how, size_t *done, uint16_t *flags);
WASI(sock_send) errno_t sock_send(fd_t fd, const struct vector *v, size_t n, uint32_t how, size_t *done);
WASI(sock_shutdown) errno_t sock_shutdown(fd_t fd, uint32_t how);

/* Directory 3 is the only one that a test is given. */
enum { ROOT = 3 };

static inline size_t length(const char *text)
{
	size_t len = 0;
	while (text[len])
		len++;
	return len;
}

static inline bool is_same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static inline void print(fd_t fd, const char *text)
{
	struct vector v = {text, length(text)};
	size_t done;
	fd_write(fd, &v, 1, &done);
}

static inline void print_number(fd_t fd, uint32_t number)
{
	char text[12], *at = text + sizeof text - 1;
	*at = 0;
	do
		*--at = '0' + number % 10;
	while (number /= 10);
	print(fd, at);
}

static inline void check_(uint64_t found, uint64_t wanted, const char *what, uint32_t line)
{
	if (found == wanted)
		return;
	print(2, "line ");
	print_number(2, line);
	print(2, ": ");
	print(2, what);
	print(2, " is ");
	print_number(2, (uint32_t)found);
	print(2, "\n");
	proc_exit(1);
}

#define is(what, wanted) check_((what), (wanted), #what, __LINE__)
#define ok(what) is(what, SUCCESS)
#define yes(what) is(!!(what), 1)

#define PATH(text) (text), length(text)

static inline errno_t open_at(fd_t dir, const char *path, uint32_t lookup, uint32_t how, uint64_t rights, fd_t *fd)
{
	return path_open(dir, lookup, PATH(path), how, rights, rights, 0, fd);
}

static inline errno_t write_text(fd_t fd, const char *text)
{
	struct vector v = {text, length(text)};
	size_t done;
	errno_t error = fd_write(fd, &v, 1, &done);
	return error ? error : done == v.len ? SUCCESS : NOTSUP;
}

/* A new file with some text. */
static inline errno_t make(fd_t dir, const char *path, const char *text)
{
	fd_t fd;
	errno_t error = open_at(dir, path, 0, CREAT | EXCL, READ_WRITE, &fd);
	if (error)
		return error;
	error = write_text(fd, text);
	return error ? error : fd_close(fd);
}

/* Whether a file holds some text. */
static inline bool holds(fd_t fd, uint64_t at, const char *text)
{
	char buffer[256];
	struct vector v = {buffer, sizeof buffer};
	size_t done;
	return fd_pread(fd, &v, 1, at, &done) == SUCCESS && done == length(text) && is_same(buffer, text, done);
}

#endif
