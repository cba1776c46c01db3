// SPDX-License-Identifier: MIT OR Apache-2.0
#include "loopback.h"

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int closed = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(closed, (struct sockaddr *)&address, size) == 0);
	CHECK(getsockname(closed, (struct sockaddr *)&address, &size) == 0);
	CHECK(connect(client, (struct sockaddr *)&address, size) == -1 && errno == ECONNREFUSED);
}
