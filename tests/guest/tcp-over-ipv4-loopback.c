// SPDX-License-Identifier: MIT OR Apache-2.0
#include "loopback.h"

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	echo_over_stream((struct sockaddr *)&address, sizeof address, &address.sin_port);
}
