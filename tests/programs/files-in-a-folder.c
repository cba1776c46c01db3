// SPDX-License-Identifier: MIT OR Apache-2.0
/* What files can do, in the directory that is given: no matter whose it is. */
#include "../guest/test.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#define FAILS(call, error) CHECK((call) < 0 && errno == (error))

static int rename_so(const char *from, const char *to, int how)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, how);
}

static struct stat of(const char *name)
{
	struct stat status;
	CHECK(!lstat(name, &status));
	return status;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(!close(fd));
}

static void has(const char *name, const char *text)
{
	char found[4096] = "";
	int fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	ssize_t size = read(fd, found, sizeof found - 1);
	CHECK(size == (ssize_t)strlen(text));
	CHECK(!memcmp(found, text, size));
	CHECK(!close(fd));
}

static void opening(void)
{
	put("file", "hello");
	has("file", "hello");
	FAILS(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	FAILS(open("none", O_RDONLY), ENOENT);
	FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open(".", O_WRONLY), EISDIR);
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && pwrite(fd, "J", 1, 0) == 1);
	has("file", "Jello");
	int end = open("file", O_WRONLY | O_APPEND);
	CHECK(end >= 0 && write(end, " a", 2) == 2 && pwrite(fd, "k", 1, 0) == 1 && write(end, " b", 2) == 2);
	has("file", "kello a b");
	/* An appending descriptor that is mapped, or set so later, is no different. */
	CHECK(!fcntl(fd, F_SETFL, O_APPEND) && write(fd, "!", 1) == 1);
	has("file", "kello a b!");
	CHECK(!close(fd) && !close(end));
	fd = open("file", O_WRONLY | O_TRUNC);
	CHECK(fd >= 0 && of("file").st_size == 0 && !close(fd));
	char name[300];
	memset(name, 'n', 255);
	name[255] = 0;
	put(name, "long");
	CHECK(!unlink(name));
	name[255] = 'n', name[256] = 0;
	FAILS(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
	fd = open("gone", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0 && write(fd, "still", 5) == 5 && !unlink("gone"));
	char text[8] = "";
	struct stat status;
	CHECK(pread(fd, text, 8, 0) == 5 && !strcmp(text, "still"));
	CHECK(!fstat(fd, &status) && status.st_nlink == 0 && status.st_size == 5);
	CHECK(!ftruncate(fd, 2) && !fchmod(fd, 0400) && pread(fd, text, 8, 0) == 2 && !close(fd));
}

static void names(void)
{
	put("a", "a");
	put("b", "b");
	CHECK(!rename("a", "c"));
	FAILS(open("a", O_RDONLY), ENOENT);
	CHECK(!rename("b", "c"));
	has("c", "b");
	put("d", "d");
	FAILS(rename_so("c", "d", 1 /* RENAME_NOREPLACE */), EEXIST);
	CHECK(!rename_so("c", "d", 2 /* RENAME_EXCHANGE */));
	has("c", "d");
	has("d", "b");
	CHECK(!mkdir("dir", 0750) && (of("dir").st_mode & 07777) == 0750);
	CHECK(!rename("c", "dir/c"));
	FAILS(rmdir("dir"), ENOTEMPTY);
	FAILS(unlink("dir"), EISDIR);
	FAILS(rmdir("d"), ENOTDIR);
	FAILS(mkdir("dir", 0755), EEXIST);
	FAILS(rename("dir", "dir/within"), EINVAL);
	CHECK(!rename("dir", "other"));
	has("other/c", "d");
	has("other/../other/./c", "d");
	CHECK(!link("other/c", "hard") && of("hard").st_nlink == 2);
	CHECK(of("hard").st_ino == of("other/c").st_ino);
	put("hard", "through");
	has("other/c", "through");
	FAILS(link("other", "directory"), EPERM);
	CHECK(!symlink("other/c", "soft") && of("soft").st_size == 7 && S_ISLNK(of("soft").st_mode));
	has("soft", "through");
	char text[16] = "";
	CHECK(readlink("soft", text, sizeof text) == 7 && !strcmp(text, "other/c"));
	FAILS(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK(!symlink("loop", "loop"));
	FAILS(open("loop", O_RDONLY), ELOOP);
	CHECK(!unlink("loop") && !unlink("soft") && !unlink("hard") && !unlink("other/c"));
	CHECK(!unlink("d") && !rmdir("other"));
	CHECK(!mkfifo("fifo", 0600) && S_ISFIFO(of("fifo").st_mode));
	int ends[2] = { open("fifo", O_RDWR), 0 };
	CHECK(ends[0] >= 0 && write(ends[0], "x", 1) == 1 && read(ends[0], text, 1) == 1 && !close(ends[0]));
	CHECK(!unlink("fifo"));
}

static void attributes(void)
{
	put("file", "12345678");
	CHECK(!chmod("file", 04751) && (of("file").st_mode & 07777) == 04751);
	/* Who writes to a program does not get its owner's rights, unless it is root. */
	CHECK(!chown("file", -1, -1));
	struct timespec times[2] = { { 1000000000, 123456789 }, { -5, 7 } };
	CHECK(!utimensat(AT_FDCWD, "file", times, 0));
	struct stat status = of("file");
	CHECK(status.st_atim.tv_sec == 1000000000 && status.st_atim.tv_nsec == 123456789);
	CHECK(status.st_mtim.tv_sec == -5 && status.st_mtim.tv_nsec == 7);
	times[0].tv_nsec = UTIME_OMIT, times[1].tv_nsec = UTIME_NOW;
	CHECK(!utimensat(AT_FDCWD, "file", times, 0));
	status = of("file");
	CHECK(status.st_atim.tv_nsec == 123456789 && status.st_mtim.tv_sec > 1000000000);
	CHECK(!truncate("file", 3) && of("file").st_size == 3);
	has("file", "123");
	CHECK(!truncate("file", 5));
	int fd = open("file", O_RDWR);
	char text[8];
	CHECK(fd >= 0 && read(fd, text, 8) == 5 && !memcmp(text, "123\0\0", 5));
	CHECK(!close(fd));
	struct statfs system;
	CHECK(!statfs(".", &system) && system.f_bsize > 0 && system.f_blocks >= system.f_bfree);
	CHECK(system.f_namelen >= 255);

	char value[64] = "";
	CHECK(!setxattr("file", "user.colour", "blue", 4, XATTR_CREATE));
	FAILS(setxattr("file", "user.colour", "red", 3, XATTR_CREATE), EEXIST);
	FAILS(setxattr("file", "user.other", "red", 3, XATTR_REPLACE), ENODATA);
	CHECK(getxattr("file", "user.colour", 0, 0) == 4);
	CHECK(getxattr("file", "user.colour", value, sizeof value) == 4 && !strcmp(value, "blue"));
	FAILS(getxattr("file", "user.colour", value, 2), ERANGE);
	FAILS(getxattr("file", "user.none", value, sizeof value), ENODATA);
	CHECK(listxattr("file", 0, 0) == 12);
	CHECK(listxattr("file", value, sizeof value) == 12 && !strcmp(value, "user.colour"));
	CHECK(!removexattr("file", "user.colour") && listxattr("file", 0, 0) == 0);
	CHECK(!unlink("file"));
}

static void contents(void)
{
	enum { SIZE = 3 << 20 };
	unsigned *pattern = malloc(SIZE), *found = malloc(SIZE);
	CHECK(pattern && found);
	for (unsigned i = 0; i < SIZE / 4; i++) pattern[i] = i * 2654435761u;
	int fd = open("large", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0);
	const off_t far = 5ll << 30;
	CHECK(pwrite(fd, pattern, SIZE, far + 7) == SIZE && of("large").st_size == far + 7 + SIZE);
	CHECK(pread(fd, found, SIZE, far + 7) == SIZE && !memcmp(pattern, found, SIZE));
	CHECK(pread(fd, found, 16, 1ll << 32) == 16 && found[0] == 0);
	CHECK(lseek(fd, 0, SEEK_DATA) >= 1ll << 32 && lseek(fd, 0, SEEK_HOLE) == 0);
	CHECK(lseek(fd, -1, SEEK_END) == far + 6 + SIZE && read(fd, found, 9) == 1 && read(fd, found, 9) == 0);
	CHECK(!ftruncate(fd, SIZE) && pwrite(fd, pattern, SIZE, 0) == SIZE && !fsync(fd) && !fdatasync(fd));

	/* What is mapped is the file, both ways. */
	unsigned *map = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED && !memcmp(map, pattern, SIZE));
	map[100000] = 42;
	CHECK(!msync(map, SIZE, MS_SYNC) && pread(fd, found, 4, 400000) == 4 && found[0] == 42);
	CHECK(pwrite(fd, &(unsigned){ 43 }, 4, 400000) == 4 && map[100000] == 43);
	map[0] = 7;
	CHECK(!munmap(map, SIZE) && !close(fd));
	fd = open("large", O_RDWR);
	CHECK(pread(fd, found, 4, 0) == 4 && found[0] == 7);
	unsigned *own = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(own != MAP_FAILED);
	own[0] = 8;
	CHECK(pread(fd, found, 4, 0) == 4 && found[0] == 7 && !munmap(own, 4096));

	/* Through a mapping nothing is appended. */
	int end = open("large", O_RDWR | O_APPEND);
	map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, end, 0);
	CHECK(end >= 0 && map != MAP_FAILED);
	map[1] = 9;
	CHECK(!msync(map, 4096, MS_SYNC) && !munmap(map, 4096) && !close(end));
	CHECK(of("large").st_size == SIZE && pread(fd, found, 4, 4) == 4 && found[0] == 9);

	int copy = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0644);
	off_t from = 0, to = 0;
	ssize_t copied, all = 0;
	while ((copied = copy_file_range(fd, &from, copy, &to, SIZE, 0)) > 0) all += copied;
	CHECK(!copied && all == SIZE);
	CHECK(pread(copy, found, SIZE, 0) == SIZE && pread(fd, pattern, SIZE, 0) == SIZE);
	CHECK(!memcmp(found, pattern, SIZE));
	CHECK(!fallocate(copy, 0, SIZE, 4096) && of("copy").st_size == SIZE + 4096);
	CHECK(!fallocate(copy, FALLOC_FL_KEEP_SIZE, SIZE + 4096, 4096) && of("copy").st_size == SIZE + 4096);
	CHECK(!fallocate(copy, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 65536));
	CHECK(pread(copy, found, 4, 4096) == 4 && found[0] == 0 && !close(copy) && !close(fd));
	CHECK(!unlink("large") && !unlink("copy"));
	free(pattern);
	free(found);
}

/* Each of many entries is there once, also for who removes them meanwhile. */
static void many(void)
{
	enum { COUNT = 5000 };
	static char seen[COUNT];
	char name[64];
	CHECK(!mkdir("many", 0755) && !chdir("many"));
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "entry-with-a-name-%d", i);
		int fd = open(name, O_WRONLY | O_CREAT, 0644);
		CHECK(fd >= 0 && !close(fd));
	}
	DIR *directory = opendir(".");
	CHECK(directory);
	for (int round = 0; round < 2; round++) {
		struct dirent *entry;
		int count = 0, dots = 0;
		memset(seen, 0, sizeof seen);
		while ((entry = readdir(directory))) {
			if (entry->d_name[0] == '.') dots++;
			if (entry->d_name[0] == '.') continue;
			int n = atoi(entry->d_name + strlen("entry-with-a-name-"));
			CHECK(n >= 0 && n < COUNT && !seen[n]);
			seen[n] = 1;
			count++;
			CHECK(entry->d_type == DT_REG && of(entry->d_name).st_ino == entry->d_ino);
			if (round == 1) CHECK(!unlink(entry->d_name));
		}
		CHECK(count == COUNT && dots == 2);
		rewinddir(directory);
	}
	CHECK(!closedir(directory) && !chdir("..") && !rmdir("many"));
}

int main(int count, char **words)
{
	/* The tests know best how long an emulator may take. */
	alarm(0);
	umask(022);
	CHECK(count == 2 && !chdir(words[1]));
	opening();
	names();
	attributes();
	contents();
	many();
	puts("well");
}
