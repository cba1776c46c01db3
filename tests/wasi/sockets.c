/* sock_*. Descriptor 3 is a socket that listens; who connects sends "question", and wants "answer". */
#include "wasi.h"

void _start(void)
{
	fd_t fd;
	size_t done;
	uint16_t flags;
	struct fdstat stat;
	char buffer[64];
	struct vector in[] = {{buffer, 3}, {buffer + 3, 60}}, out[] = {{"ans", 3}, {"wer", 3}};

	ok(fd_fdstat_get(3, &stat));
	is(stat.type, IS_SOCKET);
	is(sock_accept(1, 0, &fd), NOTSOCK);
	is(sock_accept(9, 0, &fd), BADF);
	is(sock_accept(3, APPEND, &fd), INVAL);
	ok(sock_accept(3, 0, &fd));
	is(fd, 4);
	ok(fd_fdstat_get(fd, &stat));
	is(stat.type, IS_SOCKET);
	/* All of it, and it stays. */
	struct vector exact[] = {{buffer, 3}, {buffer + 3, 5}};
	ok(sock_recv(fd, exact, 2, 1 | 2, &done, &flags));
	is(done, 8);
	buffer[0] = 0;
	ok(sock_recv(fd, in, 2, 0, &done, &flags));
	is(done, 8);
	is(flags, 0);
	yes(is_same(buffer, "question", 8));
	is(sock_recv(fd, in, 2, 4, &done, &flags), INVAL);
	ok(sock_send(fd, out, 1, 0, &done));
	is(done, 3);
	/* A connection is a file, too. */
	ok(fd_write(fd, out + 1, 1, &done));
	is(sock_send(fd, out, 2, 1, &done), INVAL);
	is(sock_send(1, out, 2, 0, &done), NOTSOCK);
	is(sock_shutdown(fd, 0), INVAL);
	ok(sock_shutdown(fd, 2));
	is(sock_send(fd, out, 2, 0, &done), 64);
	ok(sock_recv(fd, in, 2, 0, &done, &flags));
	is(done, 0);
	ok(fd_close(fd));
	ok(fd_fdstat_set_flags(3, NONBLOCK));
	is(sock_accept(3, NONBLOCK, &fd), AGAIN);
	proc_exit(0);
}
