// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	char line[32];
	CHECK(WEXITSTATUS(system("exit 5")) == 5);
	FILE *stream = popen("echo one; echo two", "r");
	CHECK(stream && fgets(line, sizeof line, stream) && !strcmp(line, "one\n"));
	CHECK(fgets(line, sizeof line, stream) && !strcmp(line, "two\n"));
	CHECK(!fgets(line, sizeof line, stream) && pclose(stream) == 0);
}
