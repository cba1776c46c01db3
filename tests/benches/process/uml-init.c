// SPDX-License-Identifier: MIT OR Apache-2.0
// The first process under User-Mode Linux, whose root file system is this program's directory on
// the host: prepares what the measures need, runs those that the
// environment names, or all of them, and stops.

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "measure.h"

// Puts a program into memory, where the guest of the other measures has it too.
static void copy(const char *from, const char *to)
{
	static char buffer[1 << 16];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	CHECK(in && out);
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, in)) > 0;) CHECK(fwrite(buffer, 1, n, out) == n);
	CHECK(fclose(in) == 0 && fclose(out) == 0 && chmod(to, 0755) == 0);
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	request.ifr_flags |= IFF_UP;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

int main(void)
{
	static char *arguments[64] = { "/dev/shm/process" };
	// User-Mode Linux adds words of its own to the arguments of the first process.
	char *names = getenv("measures");
	for (int i = 1; names && i < 63 && (arguments[i] = strtok(i == 1 ? names : 0, ",")); i++) {
	}

	CHECK(mount("tmpfs", "/dev", "tmpfs", 0, "") == 0);
	CHECK(mkdir("/dev/shm", 0777) == 0);
	copy("/process", arguments[0]);
	copy("/leave", "/dev/shm/leave");
	raise_loopback();
	if (fork() == 0) {
		execv(arguments[0], arguments);
		_exit(1);
	}
	wait(0);
	reboot(RB_POWER_OFF);
}
