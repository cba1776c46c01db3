// SPDX-License-Identifier: MIT OR Apache-2.0
#include "loopback.h"

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	char text[32];
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(receiver >= 0 && bind(receiver, (struct sockaddr *)&address, size) == 0);
	CHECK(getsockname(receiver, (struct sockaddr *)&address, &size) == 0);
	CHECK(sendto(sender, "one", 3, 0, (struct sockaddr *)&address, size) == 3);
	CHECK(sendto(sender, "three", 5, 0, (struct sockaddr *)&address, size) == 5);
	CHECK(recv(receiver, text, sizeof text, 0) == 3 && recv(receiver, text, sizeof text, 0) == 5);
}
