// SPDX-License-Identifier: MIT OR Apache-2.0
/* The first process. It runs one program, a shell if no other was asked for, and the machine lives
 * as long as that does. The boot binary leaves what was asked for in two files of strings that each
 * end in a NUL: the arguments of the command, and an environment.
 *
 * Each standard stream of the program is the console if the host's is a terminal (LINNET_STDIN=tty
 * and so on in the environment), else a device that is the host's stream, byte for byte. A command
 * ignores the signals that the boot binary was started to ignore: LINNET_IGNORED has bit n - 1 for
 * signal n.
 *
 * A frozen system has a script in /linnet/frozen that runs first. Where the system is built, the machine is frozen
 * then; where it is started, it goes on from there, and /dev/freeze says what was asked for. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define CONSOLE "/dev/hvc0"

/* Time for the program to obey a signal of the host, in milliseconds. It is less than what a container's
 * engine, and the boot binary, give to all of the machine. */
#define PROGRAM_GRACE_MS 5000

static char *environment[256] = {
	"HOME=/root",
	"LOGNAME=root",
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"SHELL=/bin/sh",
	"USER=root",
};

static struct {
	const char *variable, *device;
	int is_terminal;
} streams[] = {
	{ "LINNET_STDIN=", "/dev/hostin", 1 },
	{ "LINNET_STDOUT=", "/dev/hostout", 1 },
	{ "LINNET_STDERR=", "/dev/hosterr", 1 },
};

static const char ignored_variable[] = "LINNET_IGNORED=";
static unsigned long long ignored_signals;

/* The strings of a text of that size, which has room for another byte, and a null pointer after them. */
static char **split(char *text, ssize_t size)
{
	if (size < 0) size = 0;
	text[size] = 0;
	size_t count = 0;
	for (char *s = text; s < text + size; s += strlen(s) + 1) count++;
	char **strings = calloc(count + 1, sizeof *strings);
	if (!strings) return 0;
	count = 0;
	for (char *s = text; s < text + size; s += strlen(s) + 1) strings[count++] = s;
	return strings;
}

/* The strings of a file, and a null pointer after them; null if there is no such file. */
static char **read_strings(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return 0;
	if (fstat(fd, &st)) st.st_size = 0;
	char *text = calloc(st.st_size + 1, 1);
	ssize_t size = text ? read(fd, text, st.st_size) : 0;
	close(fd);
	return text ? split(text, size) : 0;
}

/* Replaces the variable of that name or adds it. */
static void set_variable(char *assignment)
{
	size_t name = strcspn(assignment, "=") + 1;
	int i = 0;
	while (environment[i] && strncmp(environment[i], assignment, name)) i++;
	if (i < COUNT(environment) - 1) environment[i] = assignment;
}

/* Is 1 if the variable was meant for this program alone. */
static int is_ours(const char *assignment)
{
	for (int i = 0; i < COUNT(streams); i++) {
		size_t name = strlen(streams[i].variable);
		if (strncmp(assignment, streams[i].variable, name)) continue;
		streams[i].is_terminal = !strcmp(assignment + name, "tty");
		return 1;
	}
	size_t name = strlen(ignored_variable);
	if (strncmp(assignment, ignored_variable, name)) return 0;
	ignored_signals = strtoull(assignment + name, 0, 16);
	return 1;
}

void complain(const char *what, const char *to_what, int error)
{
	const char *parts[] = { "error: cannot ", what, " ", to_what, ": ", strerror(error), "\n" };
	struct iovec text[COUNT(parts)];
	for (int i = 0; i < COUNT(parts); i++)
		text[i] = (struct iovec){ (void *)parts[i], strlen(parts[i]) };
	writev(2, text, COUNT(text));
}

/* A session of its own, whose controlling terminal is the console if the program uses it at all. */
static void open_streams(void)
{
	setsid();
	/* Whatever is opened below must not take one of the three numbers. */
	int spare;
	while ((spare = open("/dev/null", O_RDWR)) >= 0 && spare < COUNT(streams));
	close(spare);

	int console = open(CONSOLE, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console < 0) console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
	for (int i = 0; i < COUNT(streams); i++) {
		int fd = console;
		if (streams[i].is_terminal)
			ioctl(console, TIOCSCTTY, 0);
		else
			fd = open(streams[i].device, (i ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		if (fd < 0) fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(fd, i);
	}
}

static _Noreturn void run(char **command)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, 0);
	open_streams();
	environ = environment;
	if (command) {
		for (int n = 1; n <= 64; n++)
			if (ignored_signals >> (n - 1) & 1) signal(n, SIG_IGN);
		execvp(command[0], command);
	} else {
		command = (char *[]){ "/bin/sh", 0 };
		chdir("/root");
		execl(command[0], "-sh", (char *)0);
	}
	int error = errno;
	complain("run", command[0], error);
	_exit(error == ENOENT ? 127 : 126);
}

/* Reaps whatever has ended. Is 1 if `program` has, and then `status` is its exit status as a shell
 * gives it. */
static int has_ended(pid_t program, int *status)
{
	int ended = 0, how;
	pid_t pid;
	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != program) continue;
		ended = 1;
		*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	}
	return ended;
}

static void tell(pid_t program, int number)
{
	/* It may not have begun its session yet. */
	if (kill(-program, number)) kill(program, number);
	kill(-program, SIGCONT);
}

/* The host ends the machine by a signal, which the program gets first. A shell at a terminal
 * ignores most signals, but not that its terminal is gone. */
static _Noreturn void obey_host(pid_t program, int number, int is_shell)
{
	int has_terminal = streams[0].is_terminal, ended = 0;
	if (!is_shell || !has_terminal) {
		tell(program, number);
		ended = has_ended_within(program, has_terminal ? 1000 : PROGRAM_GRACE_MS);
	}
	if (!ended && has_terminal) {
		tell(program, SIGHUP);
		has_ended_within(program, PROGRAM_GRACE_MS - 1000);
	}
	shut_down(EXIT, 128 + number);
}

/* Runs the script of a frozen system to its end. */
static void run_first(char *script)
{
	int how = 0;
	pid_t pid = fork();
	if (pid == 0) run((char *[]){ "/bin/sh", "-c", script, 0 });
	if (pid < 0 || waitpid(pid, &how, 0) < 0) shut_down(EXIT, 126);
	if (how) shut_down(EXIT, WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how));
}

/* Freezes the machine. Where it is started, gives what it was started with: an environment, an empty string, and
 * a command. */
static char **freeze(void)
{
	static char text[65536];
	int fd = open("/dev/freeze", O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, "start", 5) != 5) {
		complain("run", "freeze", errno);
		shut_down(EXIT, 1);
	}
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	return split(text, size);
}

int main(void)
{
	static const int signals[] = {
		SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGHUP, SIGINT, SIGQUIT,
	};
	/* Waiting for signals needs no handlers: a blocked one is kept, even for the first process. */
	sigset_t watched;
	sigemptyset(&watched);
	for (int i = 0; i < COUNT(signals); i++) sigaddset(&watched, signals[i]);
	sigprocmask(SIG_BLOCK, &watched, 0);

	set_up_machine();
	char **assignments = read_strings("/linnet/environment");
	for (char **a = assignments; a && *a; a++)
		if (!is_ours(*a)) set_variable(*a);
	mount_shares(read_strings("/linnet/shares"));
	char **command = read_strings("/linnet/command");
	char **script = read_strings("/linnet/frozen");
	if (script && *script) run_first(*script);
	/* The kernel gives its first process what it does not know of its command line. */
	if (script && getenv("LINNET_FREEZE")) {
		char **text = freeze();
		for (; text && *text && **text; text++)
			if (!is_ours(*text)) set_variable(*text);
		if (text && *text && text[1]) command = text + 1;
	}
	if (command && !*command) command = 0;

	pid_t program = fork();
	if (program == 0) run(command);
	if (program < 0) shut_down(EXIT, 126);
	for (;;) {
		int status;
		siginfo_t info;
		int number = sigwaitinfo(&watched, &info);
		if (number > 0 && number != SIGCHLD && info.si_code == SI_KERNEL) obey_host(program, number, !command);
		switch (number) {
		case SIGCHLD:
			if (!has_ended(program, &status)) break;
			/* Leaving an interactive shell is how a user turns the machine off. */
			if (!command && streams[0].is_terminal) shut_down(POWER_OFF, 0);
			shut_down(EXIT, status);
		/* what BusyBox's halt, poweroff and reboot send */
		case SIGUSR1: shut_down(HALT, 0);
		case SIGUSR2: shut_down(POWER_OFF, 0);
		case SIGTERM: shut_down(REBOOT, 0);
		}
	}
}
