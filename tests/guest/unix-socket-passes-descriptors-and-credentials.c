// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/socket.h>

int main(void)
{
	int pair[2], fds[2], got;
	char byte = 'd', text[4];
	union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { { 0 } };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(fds) == 0);
	pid_t child = fork();
	if (child == 0) {
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fds[0], sizeof(int));
		CHECK(write(fds[1], "gift", 4) == 4 && sendmsg(pair[1], &message, 0) == 1);
		_exit(0);
	}
	CHECK(close(fds[0]) == 0 && recvmsg(pair[0], &message, 0) == 1 && byte == 'd');
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
	CHECK(read(got, text, 4) == 4 && !memcmp(text, "gift", 4));
	struct ucred peer;
	CHECK(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){ sizeof peer }) == 0);
	CHECK(peer.pid == getpid() && peer.uid == getuid());
	CHECK(passed(wait_for(child)));
}
