// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/msg.h>

struct message { long type; char text[16]; };

int main(void)
{
	struct message message = { 5, "five" };
	struct msqid_ds state;
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	CHECK(id >= 0 && msgsnd(id, &message, 5, 0) == 0);
	message = (struct message){ 6, "six" };
	CHECK(msgsnd(id, &message, 4, 0) == 0);
	CHECK(msgctl(id, IPC_STAT, &state) == 0 && state.msg_qnum == 2 && llabs(state.msg_stime - time(0)) < 100);
	CHECK(msgrcv(id, &message, 16, 6, 0) == 4 && !strcmp(message.text, "six"));
	CHECK(msgrcv(id, &message, 16, 0, 0) == 5 && message.type == 5);
	CHECK(msgctl(id, IPC_RMID, 0) == 0);
}
