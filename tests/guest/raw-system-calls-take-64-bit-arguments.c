// SPDX-License-Identifier: MIT OR Apache-2.0
// syscall() passes 64 bits on, also through a pointer, and takes integers of any size for them.
#include <sys/uio.h>
#include "test.h"

static off_t size_of(int fd)
{
	struct stat status;
	CHECK(!fstat(fd, &status));
	return status.st_size;
}

int main(void)
{
	int fd = open("/tmp/raw", O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(syscall(SYS_sync_file_range, fd, (off_t)0, (off_t)-1, 2) == -1 && errno == EINVAL);
	CHECK(!syscall(SYS_fallocate, fd, 0, (off_t)4096, (off_t)8192) && size_of(fd) == 12288);
	CHECK(!syscall(SYS_fallocate, fd, 0, 0, (size_t)20000) && size_of(fd) == 20000);
	CHECK(!syscall(SYS_ftruncate64, fd, (off_t)5 << 32) && size_of(fd) == (off_t)5 << 32);
	CHECK(!syscall(SYS_ftruncate64, fd, 5000) && size_of(fd) == 5000);
	CHECK(!syscall(SYS_truncate64, "/tmp/raw", (off_t)3 << 32 | 1) && size_of(fd) == ((off_t)3 << 32 | 1));

	char text[4] = "abc", back[4] = "";
	off_t far = ((off_t)1 << 32) + 100;
	CHECK(syscall(SYS_pwrite64, fd, text, 4, far) == 4);
	CHECK(syscall(SYS_pread64, fd, back, sizeof back, far) == 4 && !strcmp(back, "abc"));
	CHECK(syscall(SYS_pread64, fd, back, 4, 100) == 4 && !back[0]);
	CHECK(!syscall(SYS_fadvise64_64, fd, (off_t)1 << 40, (off_t)4096, 0));
	CHECK(syscall(SYS_copy_file_range, fd, NULL, fd, NULL, (off_t)0, 0) == 0);

	// A position in one piece, as machines with 64 bits have it, and in two.
	struct iovec v = { back, 4 };
	CHECK(syscall(SYS_preadv, fd, &v, 1, far, 0) == 4 && back[0] == 'a');
	back[0] = 0;
	CHECK(syscall(SYS_preadv, fd, &v, 1, (unsigned long)far, (unsigned long)(far >> 32)) == 4 && back[0] == 'a');

	// A pointer knows no types: the call says what it takes.
	long (*volatile raw)(long, ...) = syscall;
	CHECK(!raw(SYS_fallocate, fd, 0, (off_t)7 << 32, (off_t)4096) && size_of(fd) == ((off_t)7 << 32) + 4096);
	CHECK(raw(SYS_pwrite64, fd, text, 4, far + 4) == 4);
	CHECK(raw(SYS_pread64, fd, back, 4, far + 4) == 4 && !strcmp(back, "abc"));
	CHECK(raw(SYS_getpid) == getpid() && syscall(SYS_getpid) == getpid());
	CHECK(syscall(SYS_gettid) == (syscall)(SYS_gettid));

	// Results are those of the kernel.
	void *page = (void *)syscall(SYS_mmap2, NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	*(volatile int *)page = 1;
	CHECK(syscall(SYS_close, -1) == -1 && errno == EBADF);
	unlink("/tmp/raw");
}
