// SPDX-License-Identifier: MIT OR Apache-2.0
// usage: terminal COMMAND ARGS...
//
// Runs a command on a terminal of its own with nobody in front of it, copies what it prints, and ends with
// its status.
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int terminal;
	pid_t child = forkpty(&terminal, NULL, NULL, &size);
	if (child < 0) {
		perror("forkpty");
		return 125;
	}
	if (child == 0) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	char text[4096];
	ssize_t length;
	// A terminal that nobody holds any more fails with EIO.
	while ((length = read(terminal, text, sizeof text)) > 0 || (length < 0 && errno == EINTR)) {
		for (ssize_t written = 0; written < length;) {
			ssize_t more = write(STDOUT_FILENO, text + written, length - written);
			if (more < 0) return 125;
			written += more;
		}
	}
	int status;
	if (waitpid(child, &status, 0) != child) return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
