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
	// Closing waits for the shell and tells its status.
	char path[] = "/tmp/popen-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && setenv("FILE", path, 1) == 0);
	stream = popen("sleep 0.1; tr a-z A-Z > $FILE; exit 9", "w");
	CHECK(stream && fputs("written\n", stream) >= 0);
	CHECK(WEXITSTATUS(pclose(stream)) == 9);
	CHECK(read(fd, line, sizeof line) == 8 && !memcmp(line, "WRITTEN\n", 8) && unlink(path) == 0);
}
