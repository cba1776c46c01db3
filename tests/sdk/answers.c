// SPDX-License-Identifier: MIT OR Apache-2.0
// Finds out by running what sysroot/tools/config.site answers, in its order.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static void say(const char *name, const char *value) { printf("%s=%s\n", name, value); }
static void yes(const char *name, int is) { say(name, is ? "yes" : "no"); }
static int there(const char *path) { return access(path, F_OK) == 0; }

static int c99(int (*print)(char *, size_t, const char *, ...))
{
	char text[4] = "xxx";
	return print(text, 3, "%s", "1234") == 4 && !strcmp(text, "12") && print(0, 0, "%d", 12345) == 5;
}
static int by_list(char *to, size_t size, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	int n = vsnprintf(to, size, format, list);
	va_end(list);
	return n;
}
static int forks(pid_t (*make)(void))
{
	int status;
	pid_t pid = make();
	if (pid == 0) _exit(5);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5;
}
static pid_t own_group(void)
{
	pid_t pid = fork();
	if (pid == 0) _exit(setpgid(0, 0) || getpgrp() != getpid() ? 1 : 5);
	return pid;
}
static volatile int handled;
static void count(int signal) { (void)signal; handled++; }
static int restarts(void)
{
	int ends[2];
	char byte;
	if (pipe(ends)) return 0;
	signal(SIGALRM, count);
	if (fork() == 0) {
		usleep(50000);
		kill(getppid(), SIGALRM);
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	int is = read(ends[0], &byte, 1) == 1 && handled == 1;
	wait(0);
	raise(SIGALRM);
	return is && handled == 2;
}
static __attribute__((noinline)) int direction(volatile char *outer)
{
	volatile char here = 0;
	if (!outer) return direction(&here) + here;
	return (uintptr_t)&here > (uintptr_t)outer ? 1 : -1;
}
static int mapped(void)
{
	FILE *file = fopen("m", "w+");
	size_t size = sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < size; i++) fputc(i % 251, file);
	fflush(file);
	char *place = mmap(0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = mmap(place, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fileno(file), 0);
	int is = at == place && (unsigned char)at[500] == 500 % 251;
	at[500] = 7;
	char byte;
	return is && pread(fileno(file), &byte, 1, 500) == 1 && (unsigned char)byte == 500 % 251;
}
static int touched(void)
{
	struct stat now;
	struct utimbuf old = { 100, 100 };
	close(open("t", O_CREAT | O_WRONLY, 0600));
	return !utime("t", &old) && !utime("t", 0) && !stat("t", &now) && now.st_mtime > 1000000;
}
static int mktimes(void)
{
	for (long long time = -3000000000LL; time < 6000000000LL; time += 86399 * 3) {
		time_t at = time;
		struct tm parts = *localtime(&at);
		if (mktime(&parts) != at) return 0;
	}
	struct tm far = { .tm_year = 100, .tm_mon = 14, .tm_mday = -3 };
	return mktime(&far) != -1 && far.tm_year == 101 && far.tm_mon == 1 && far.tm_mday == 25;
}
static int fails(int result, int with) { return result < 0 && errno == with; }

int main(void)
{
	char text[64], directory[] = "/tmp/answers-XXXXXX", *own;
	struct stat status;
	struct rlimit limit;
	sigset_t set;
	sigjmp_buf here;
	gid_t groups[64];
	fd_set bad;
	volatile size_t too_much = SIZE_MAX;
	void *volatile place;

	if (!mkdtemp(directory) || chdir(directory)) return 1;
	symlink("nowhere", "dangling");
	mkdir("dir", 0700);
	symlink("dir", "link");
	close(open("file", O_CREAT | O_WRONLY, 0600));

	yes("ac_cv_file__dev_fd", there("/dev/fd"));
	yes("ac_cv_file__dev_ptc", there("/dev/ptc"));
	yes("ac_cv_file__dev_ptmx", there("/dev/ptmx"));
	yes("ac_cv_file__dev_random", there("/dev/random"));
	yes("ac_cv_file__dev_urandom", there("/dev/urandom"));
	yes("ac_cv_file__dev_zero", there("/dev/zero"));
	yes("ac_cv_file__proc_meminfo", there("/proc/meminfo"));
	yes("ac_cv_file__proc_self_exe", there("/proc/self/exe"));
	yes("ac_cv_func_calloc_0_nonnull", (place = calloc(0, 0)) != 0);
	yes("ac_cv_func_chown_works", !chown("file", -1, -1));
	yes("ac_cv_func_closedir_void", closedir(opendir(".")) != 0);
	yes("ac_cv_func_fork_works", forks(fork));
	int n = getgroups(0, 0);
	yes("ac_cv_func_getgroups_works", n >= 0 && n < 64 && getgroups(64, groups) == n && fails(getgroups(-1, groups), EINVAL));
	yes("ac_cv_func_lstat_dereferences_slashed_symlink", !lstat("link/", &status) && S_ISDIR(status.st_mode));
	yes("ac_cv_func_lstat_empty_string_bug", !fails(lstat("", &status), ENOENT));
	yes("ac_cv_func_malloc_0_nonnull", (place = malloc(0)) != 0);
	yes("ac_cv_func_memcmp_working", memcmp("\100", "\200", 1) < 0 && memcmp("--------01111111\200", "--------01111111\0", 17) > 0);
	yes("ac_cv_func_mmap_fixed_mapped", mapped());
	yes("ac_cv_func_realloc_0_nonnull", (place = realloc(0, 0)) != 0);
	yes("ac_cv_func_snprintf_c99", c99(snprintf));
	yes("ac_cv_func_stat_empty_string_bug", !fails(stat("", &status), ENOENT));
	yes("ac_cv_func_strcoll_works", strcoll("abc", "def") < 0 && strcoll("ABC", "DEF") < 0 && strcoll("123", "456") < 0);
	yes("ac_cv_func_strnlen_working", strnlen("foobar", 1) == 1 && strnlen("foobar", 99) == 6 && strnlen("", 4) == 0);
	yes("ac_cv_func_utime_null", touched());
	yes("ac_cv_func_vfork_works", forks(vfork));
	yes("ac_cv_func_vsnprintf_c99", c99(by_list));
	yes("ac_cv_func_working_mktime", mktimes());
	yes("ac_cv_sys_restartable_syscalls", restarts());

	yes("gl_cv_func_dup2_works", dup2(1, 1) == 1 && fails(dup2(-1, -1), EBADF) && fails(dup2(1, -1), EBADF) && fails(dup2(60, 60), EBADF));
	yes("gl_cv_func_fcntl_f_dupfd_works", fails(fcntl(0, F_DUPFD, -1), EINVAL) && fcntl(0, F_DUPFD, 40) == 40);
	own = getcwd(0, 0);
	yes("gl_cv_func_getcwd_null", own && !strcmp(own, directory));
	yes("gl_cv_func_getcwd_abort_bug", !own);
	link("dangling", "hard");
	yes("gl_cv_func_link_follows_symlink", lstat("hard", &status) || !S_ISLNK(status.st_mode));
	errno = 0;
	place = malloc(too_much);
	yes("gl_cv_func_malloc_posix", !place && errno == ENOMEM);
	yes("gl_cv_func_mkdir_trailing_slash_works", !mkdir("slash/", 0700));
	yes("gl_cv_func_printf_positions", sprintf(text, "%2$d %1$d", 33, 55) && !strcmp(text, "55 33"));
	yes("gl_cv_func_rename_slash_dst_works", rename("file", "absent/") < 0 && !rename("slash", "moved/"));
	FD_ZERO(&bad);
	FD_SET(61, &bad);
	yes("gl_cv_func_select_detects_ebadf", fails(select(62, &bad, 0, 0, &(struct timeval){ 0 }), EBADF));
	signal(SIGALRM, count);
	alarm(1);
	unsigned left = sleep(UINT32_MAX);
	alarm(0);
	yes("gl_cv_func_sleep_works", left <= UINT32_MAX && left > 1000000);
	errno = 0;
	yes("gl_cv_func_strerror_0_works", *strerror(0) && !errno);
	yes("gl_cv_func_unlink_honors_slashes", unlink("dangling/") < 0 && unlink("file/") < 0);
	snprintf(text, sizeof text, "%d", direction(0));
	say("sv_cv_stack_direction", text);
	say("sv_cv_stack_direction_msg", text[0] == '-' ? "grows down" : "grows up");

	say("bash_cv_dev_fd", there("/dev/fd/0") ? "standard" : "absent");
	say("bash_cv_dev_stdin", there("/dev/stdin") ? "present" : "absent");
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	if (!sigsetjmp(here, 1)) {
		sigprocmask(SIG_BLOCK, &set, 0);
		siglongjmp(here, 1);
	}
	sigprocmask(SIG_BLOCK, 0, &set);
	say("bash_cv_func_sigsetjmp", sigismember(&set, SIGINT) ? "missing" : "present");
	yes("bash_cv_getcwd_malloc", own != 0);
	say("bash_cv_job_control_missing", forks(own_group) ? "present" : "missing");
	handled = 0;
	signal(SIGUSR1, count);
	raise(SIGUSR1);
	raise(SIGUSR1);
	yes("bash_cv_must_reinstall_sighandlers", handled != 2);
	yes("bash_cv_printf_a_format", snprintf(text, sizeof text, "%a", 1.0) && !strncmp(text, "0x1p+0", 6));
	say("bash_cv_sys_named_pipes", mkfifo("fifo", 0600) ? "missing" : "present");
	yes("bash_cv_ulimit_maxfds", !getrlimit(RLIMIT_NOFILE, &limit));
	yes("bash_cv_unusable_rtsigs", SIGRTMIN > SIGRTMAX);
	snprintf(text, sizeof text, "%d", WEXITSTATUS(42 << 8) == 42 ? 8 : 0);
	say("bash_cv_wexitstatus_offset", text);
	return 0;
}
