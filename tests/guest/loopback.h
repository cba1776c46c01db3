// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "test.h"

// A server that sends back what it gets, in a child, and a client, over a stream from and to
// `address`, whose port `port` points at.
__attribute__((unused)) static void echo_over_stream(struct sockaddr *address, socklen_t size, in_port_t *port)
{
	enum { TOTAL = 300000 };
	static unsigned char buffer[10000];
	socklen_t bound = size;
	int server = socket(address->sa_family, SOCK_STREAM, 0);
	*port = 0;
	CHECK(server >= 0 && bind(server, address, size) == 0 && listen(server, 1) == 0);
	CHECK(getsockname(server, address, &bound) == 0 && *port != 0);
	pid_t child = fork();
	if (child == 0) {
		int peer = accept(server, 0, 0);
		CHECK(peer >= 0);
		for (ssize_t n; (n = read(peer, buffer, sizeof buffer)) > 0;)
			CHECK(send(peer, buffer, n, MSG_NOSIGNAL) == n);
		_exit(0);
	}
	int client = socket(address->sa_family, SOCK_STREAM, 0);
	CHECK(connect(client, address, size) == 0);
	for (int done = 0; done < TOTAL; done += sizeof buffer) {
		memset(buffer, done / sizeof buffer, sizeof buffer);
		CHECK(write(client, buffer, sizeof buffer) == sizeof buffer);
		memset(buffer, 0xff, sizeof buffer);
		CHECK(recv(client, buffer, sizeof buffer, MSG_WAITALL) == sizeof buffer);
		for (unsigned i = 0; i < sizeof buffer; i++) CHECK(buffer[i] == done / sizeof buffer);
	}
	CHECK(shutdown(client, SHUT_WR) == 0 && read(client, buffer, 1) == 0);
	CHECK(passed(wait_for(child)));
}

#endif
