// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <mqueue.h>

int main(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 32 };
	char name[32], text[32];
	unsigned priority;
	snprintf(name, sizeof name, "/test-%d", getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	CHECK(queue != (mqd_t)-1 && mq_unlink(name) == 0);
	CHECK(mq_send(queue, "low", 4, 1) == 0 && mq_send(queue, "high", 5, 9) == 0);
	CHECK(mq_receive(queue, text, sizeof text, &priority) == 5 && priority == 9);
	CHECK(mq_receive(queue, text, sizeof text, &priority) == 4 && priority == 1 && !strcmp(text, "low"));
}
