// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/epoll.h>

int main(void)
{
	int level[2], edge[2], epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event, events[4];
	CHECK(epoll >= 0 && pipe(level) == 0 && pipe(edge) == 0);
	event = (struct epoll_event){ .events = EPOLLIN, .data.u64 = 0x123456789abcdefULL };
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, level[0], &event) == 0);
	event = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.u64 = 2 };
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, edge[0], &event) == 0);
	CHECK(epoll_wait(epoll, events, 4, 0) == 0);
	CHECK(write(level[1], "x", 1) == 1 && write(edge[1], "x", 1) == 1);
	CHECK(epoll_wait(epoll, events, 4, -1) == 2);
	CHECK(epoll_wait(epoll, events, 4, 0) == 1 && events[0].data.u64 == 0x123456789abcdefULL);
	CHECK(write(edge[1], "x", 1) == 1 && epoll_wait(epoll, events, 4, 0) == 2);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, level[0], 0) == 0 && epoll_wait(epoll, events, 4, 0) == 0);
}
