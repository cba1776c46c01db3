// SPDX-License-Identifier: MIT OR Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

/* In order: a mount point may lie in a file system that comes before it. What the kernel was built
 * without fails, and that does no harm. */
static const struct {
	const char *type, *where;
	unsigned long flags;
	const char *options;
} mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "devtmpfs", "/dev", MS_NOSUID, "mode=755" },
	{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,gid=5,ptmxmode=666" },
	{ "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777" },
	{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, "" },
	{ "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=755" },
	{ "tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777" },
};

static const struct {
	const char *target, *name;
} links[] = {
	{ "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" },
};

static void set_host_name(void)
{
	char name[64];
	int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	if (fd < 0) return;
	ssize_t length = read(fd, name, sizeof name);
	close(fd);
	while (length > 0 && name[length - 1] == '\n') length--;
	if (length > 0) sethostname(name, length);
}

/* Pages that a vCPU keeps for itself do not go back to the host: let it keep few. */
static void keep_few_free_pages(void)
{
	int fd = open("/proc/sys/vm/percpu_pagelist_high_fraction", O_WRONLY | O_CLOEXEC);
	if (fd < 0) return;
	if (write(fd, "1000", 4) < 0) errno = 0;
	close(fd);
}

/* The kernel gives the interface its addresses when it comes up. */
static void raise_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return;
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
}

/* The DHCP client goes on in the background when it has an address, or when nobody has answered it for
 * two seconds. A system without one configures its network itself. */
static void configure_network(void)
{
	static char *const client[] = {
		"udhcpc", "-i", "eth0", "-t", "4", "-T", "1", "-A", "5", "-b", "-S", 0,
	};
	if (access("/sys/class/net/eth0", F_OK)) return;
	pid_t pid = fork();
	if (pid > 0) waitpid(pid, 0, 0);
	if (pid) return;
	setsid();
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++) dup2(null, fd);
	if (null > 2) close(null);
	execv("/sbin/udhcpc", client);
	_exit(127);
}

void set_up_machine(void)
{
	umask(0);
	for (int i = 0; i < COUNT(mounts); i++) {
		mkdir(mounts[i].where, 0755);
		mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags, mounts[i].options);
	}
	for (int i = 0; i < COUNT(links); i++) symlink(links[i].target, links[i].name);
	umask(022);
	keep_few_free_pages();
	set_host_name();
	raise_loopback();
	configure_network();
}
