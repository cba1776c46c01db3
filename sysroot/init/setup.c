// SPDX-License-Identifier: MIT OR Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
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

/* Whether there is an interface of that name, and it carries packets soon. */
static int raise_interface(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) return 0;
	strcpy(request.ifr_name, name);
	int exists = !ioctl(fd, SIOCSIFFLAGS, &request);
	/* The kernel begins to send when it has looked at the carrier. What is sent before is lost. */
	for (int ms = 0; exists && ms < 50; ms++) {
		if (ioctl(fd, SIOCGIFFLAGS, &request) || request.ifr_flags & IFF_RUNNING) break;
		usleep(1000);
	}
	close(fd);
	return exists;
}

/* The DHCP client goes on in the background when it has an address, or when nobody has answered it for
 * two seconds. A system without one configures its network itself. */
static void configure_network(void)
{
	static char *const client[] = {
		"udhcpc", "-i", "eth0", "-t", "4", "-T", "1", "-A", "5", "-b", "-S", 0,
	};
	if (!raise_interface("eth0")) return;
	pid_t pid = fork();
	if (pid > 0) waitpid(pid, 0, 0);
	if (pid) return;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
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
	/* The kernel gives this one its addresses when it comes up. */
	raise_interface("lo");
	configure_network();
}
