// SPDX-License-Identifier: MIT OR Apache-2.0
#include "loopback.h"

int main(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	echo_over_stream((struct sockaddr *)&address, sizeof address, &address.sin6_port);
}
