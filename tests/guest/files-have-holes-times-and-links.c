// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <dirent.h>

int main(void)
{
	char directory[] = "/tmp/files-XXXXXX", target[16] = { 0 }, byte;
	struct stat state;
	CHECK(mkdtemp(directory) && chdir(directory) == 0);
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
	CHECK(fd >= 0 && pwrite(fd, "end", 3, 5000000000LL) == 3);
	CHECK(fstat(fd, &state) == 0 && state.st_size == 5000000003LL && state.st_blocks < 10000);
	CHECK(pread(fd, &byte, 1, 4000000000LL) == 1 && byte == 0);
	CHECK(lseek(fd, -1, SEEK_END) == 5000000002LL && read(fd, &byte, 1) == 1 && byte == 'd');
	CHECK(futimens(fd, (struct timespec[]){ { 5000000000LL, 1 }, { 1, 999999999 } }) == 0);
	CHECK(link("file", "hard") == 0 && symlink("file", "soft") == 0 && mkdir("dir", 0700) == 0);
	CHECK(stat("soft", &state) == 0 && state.st_nlink == 2 && (state.st_mode & 07777) == 0640);
	CHECK(state.st_atime == 5000000000LL && state.st_mtim.tv_nsec == 999999999);
	CHECK(lstat("soft", &state) == 0 && S_ISLNK(state.st_mode));
	CHECK(readlink("soft", target, sizeof target) == 4 && !strcmp(target, "file"));
	CHECK(rename("hard", "dir/moved") == 0 && rmdir("dir") == -1 && errno == ENOTEMPTY);

	int entries = 0;
	DIR *stream = opendir(".");
	while (readdir(stream)) entries++;
	CHECK(entries == 5);
	CHECK(unlink("dir/moved") == 0 && rmdir("dir") == 0 && unlink("soft") == 0 && unlink("file") == 0);
	CHECK(chdir("/") == 0 && rmdir(directory) == 0);
}
