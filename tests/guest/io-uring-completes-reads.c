// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <linux/io_uring.h>

int main(void)
{
	struct io_uring_params params = { 0 };
	char text[8] = { 0 };
	int ring = syscall(SYS_io_uring_setup, 4, &params), fds[2];
	CHECK(ring >= 0 && pipe(fds) == 0 && write(fds[1], "uring", 5) == 5);
	CHECK(params.features & IORING_FEAT_SINGLE_MMAP);
	size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	char *rings = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *requests = mmap(0, params.sq_entries * sizeof *requests, PROT_READ | PROT_WRITE,
		MAP_SHARED, ring, IORING_OFF_SQES);
	CHECK(rings != MAP_FAILED && (void *)requests != MAP_FAILED);

	requests[0] = (struct io_uring_sqe){ .opcode = IORING_OP_NOP, .user_data = 1, .flags = IOSQE_IO_LINK };
	requests[1] = (struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = fds[0], .addr = (uintptr_t)text,
		.len = sizeof text, .off = -1ULL, .user_data = 2 };
	unsigned *order = (void *)(rings + params.sq_off.array);
	order[0] = 0;
	order[1] = 1;
	__atomic_store_n((unsigned *)(rings + params.sq_off.tail), 2, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, ring, 2, 2, IORING_ENTER_GETEVENTS, (void *)0, 0) == 2);
	CHECK(__atomic_load_n((unsigned *)(rings + params.cq_off.tail), __ATOMIC_ACQUIRE) == 2);
	struct io_uring_cqe *results = (void *)(rings + params.cq_off.cqes);
	CHECK(results[0].user_data == 1 && results[0].res == 0);
	CHECK(results[1].user_data == 2 && results[1].res == 5 && !memcmp(text, "uring", 5));
}
