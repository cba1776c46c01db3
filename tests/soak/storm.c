// SPDX-License-Identifier: MIT OR Apache-2.0
// usage: storm SECONDS
//
// Processes that do all kinds of things at once and check what they see, of which one is killed now
// and then. Says nothing and ends with 0 if all was well, the kernel's log tells of no mistake, and
// the memory is free again.
#include "../guest/test.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { WORKERS = 8, BYTES = 200000, THREADS = 6 };

static unsigned seed;

static unsigned chance(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

// A child that does not outlive its parent.
static pid_t child(void)
{
	pid_t parent = getpid(), pid = fork();
	CHECK(pid >= 0 || errno == EAGAIN || errno == ENOMEM);
	if (pid == 0) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		if (getppid() != parent) _exit(0);
	}
	return pid;
}

static void is_well(pid_t pid)
{
	if (pid < 0) return;
	int status = wait_for(pid);
	// The OOM killer's choice is free.
	CHECK(passed(status) || died_of(status, SIGKILL));
}

static void fill(unsigned char *bytes, size_t size, unsigned mark)
{
	for (size_t i = 0; i < size; i++) bytes[i] = (i ^ i >> 8) + mark;
}

static void check(const unsigned char *bytes, size_t size, unsigned mark)
{
	for (size_t i = 0; i < size; i++) CHECK(bytes[i] == (unsigned char)((i ^ i >> 8) + mark));
}

static void forks(void)
{
	size_t size = 1 << (14 + chance(7));
	unsigned char *bytes = malloc(size);
	CHECK(bytes);
	fill(bytes, size, 1);
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		if ((pids[i] = child()) == 0) {
			check(bytes, size, 1);
			fill(bytes, size, 10 + i);
			check(bytes, size, 10 + i);
			_exit(0);
		}
	check(bytes, size, 1);
	for (int i = 0; i < 4; i++) is_well(pids[i]);
	free(bytes);
}

static void execs(void)
{
	char text[20];
	int expected = chance(200);
	snprintf(text, sizeof text, "%d", expected);
	pid_t pid = chance(2) ? fork() : vfork();
	if (pid < 0) return;
	if (pid == 0) {
		execl("/proc/self/exe", "storm", "leaf", text, (char *)0);
		_exit(errno == ENOMEM ? expected : 255);
	}
	int status = wait_for(pid);
	CHECK(died_of(status, SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == expected));
}

static void maps(void)
{
	char path[40];
	snprintf(path, sizeof path, "/tmp/map-%d", getpid());
	size_t size = 65536 << chance(5);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && unlink(path) == 0 && ftruncate(fd, size) == 0);
	unsigned char *shared = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char *own = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && own != MAP_FAILED);
	fill(shared, size, 5);
	check(own, size, 5);
	fill(own, size, 6);
	check(shared, size, 5);
	pid_t pid = child();
	if (pid == 0) {
		fill(shared, size, 7);
		_exit(0);
	}
	is_well(pid);
	if (pid > 0) CHECK(shared[0] == 5 || shared[0] == 7);
	own = mremap(own, size, 2 * size, MREMAP_MAYMOVE);
	CHECK(own != MAP_FAILED);
	check(own, size, 6);
	CHECK(mprotect(own, size, PROT_READ) == 0 && munmap(shared, size) == 0);
	check(own, size, 6);
	CHECK(munmap(own, 2 * size) == 0 && close(fd) == 0);
}

static volatile int ticks;
static sigjmp_buf back;

static void tick(int signal)
{
	ticks++;
	if (signal == SIGSEGV) siglongjmp(back, 1);
}

static void signals(void)
{
	handle(SIGALRM, tick, SA_RESTART);
	handle(SIGSEGV, tick, 0);
	handle(SIGUSR1, tick, SA_RESTART);
	ticks = 0;
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 1000 }, { 0, 1000 } }, 0) == 0);
	for (volatile unsigned work = 0; ticks < 10; work++)
		if (work % 1000 == 0 && sigsetjmp(back, 1) == 0) *(volatile char *)0 = 1;
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, 0) == 0);
	ticks = 0;
	pid_t parent = getpid(), pid = child();
	if (pid == 0) {
		for (int i = 0; i < 50; i++) CHECK(kill(parent, SIGUSR1) == 0);
		_exit(0);
	}
	is_well(pid);
	handle(SIGALRM, SIG_DFL, 0);
	handle(SIGSEGV, SIG_DFL, 0);
	alarm(60);
}

// Sends bytes from a child to here.
static void transfer(int from, int to)
{
	static unsigned char bytes[BYTES];
	pid_t pid = child();
	if (pid == 0) {
		close(from);
		fill(bytes, BYTES, 3);
		for (size_t done = 0; done < BYTES;) {
			ssize_t n = write(to, bytes + done, BYTES - done < 5000 ? BYTES - done : 1 + chance(5000));
			// Whoever reads may have been killed.
			if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) _exit(0);
			CHECK(n > 0);
			done += n;
		}
		_exit(0);
	}
	close(to);
	size_t done = 0;
	for (ssize_t n; (n = read(from, bytes + done, BYTES - done)) > 0;) done += n;
	check(bytes, done, 3);
	close(from);
	if (pid < 0) return;
	int status = wait_for(pid);
	CHECK(died_of(status, SIGKILL) || (passed(status) && done == BYTES));
}

static void pipes(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	transfer(ends[0], ends[1]);
}

static void sockets(void)
{
	int ends[2];
	if (chance(2)) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	} else {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t length = sizeof address;
		int listener = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(listener >= 0 && bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
		CHECK(getsockname(listener, (void *)&address, &length) == 0);
		ends[1] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(ends[1] >= 0 && connect(ends[1], (void *)&address, sizeof address) == 0);
		ends[0] = accept(listener, 0, 0);
		CHECK(ends[0] >= 0 && close(listener) == 0);
	}
	transfer(ends[0], ends[1]);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *takes_turns(void *argument)
{
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		while (turn % THREADS != (intptr_t)argument) pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return argument;
}

static void threads(void)
{
	pthread_t ids[THREADS];
	void *result;
	turn = 0;
	for (intptr_t i = 0; i < THREADS; i++) {
		int error = pthread_create(&ids[i], 0, takes_turns, (void *)i);
		// The others cannot go on without it.
		if (error) _exit(error == EAGAIN ? 0 : 1);
	}
	for (intptr_t i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], &result) == 0 && result == (void *)i);
	CHECK(turn == THREADS * 50);
}

static void files(void)
{
	char name[40], other[44];
	static unsigned char bytes[30000];
	snprintf(name, sizeof name, "/tmp/file-%d", getpid());
	snprintf(other, sizeof other, "%s.new", name);
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	fill(bytes, sizeof bytes, 9);
	CHECK(fd >= 0 && write(fd, bytes, sizeof bytes) == sizeof bytes);
	CHECK(rename(name, other) == 0 && access(name, F_OK) == -1);
	memset(bytes, 0, sizeof bytes);
	CHECK(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes);
	check(bytes, sizeof bytes, 9);
	CHECK(unlink(other) == 0 && close(fd) == 0);
}

static void memory(void)
{
	size_t size = (1 + chance(24)) << 20;
	unsigned char *bytes = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) return;
	for (size_t i = 0; i < size; i += 4096) bytes[i] = i >> 12;
	for (size_t i = 0; i < size; i += 4096) CHECK(bytes[i] == (unsigned char)(i >> 12));
	CHECK(munmap(bytes, size) == 0);
}

static void (*const kinds[])(void) = { forks, execs, maps, signals, pipes, sockets, threads, files, memory };

static pid_t worker(void)
{
	seed += getpid();
	unsigned next = chance(1 << 20);
	pid_t pid = child();
	CHECK(pid >= 0);
	if (pid) return pid;
	seed = next;
	for (;;) {
		alarm(60);
		kinds[chance(sizeof kinds / sizeof *kinds)]();
	}
}

static long available(void)
{
	char text[2000] = "";
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	CHECK(fd >= 0 && write(fd, "3", 1) == 1 && close(fd) == 0);
	sleep_ms(500);
	fd = open("/proc/meminfo", O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0 && close(fd) == 0);
	return atol(strstr(text, "MemAvailable:") + 13);
}

int main(int argc, char **argv)
{
	if (argc > 2) return atoi(argv[2]);
	CHECK(argc == 2 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	alarm(0);
	long before = available();
	time_t end = time(0) + atoi(argv[1]);
	pid_t workers[WORKERS];
	seed = time(0);
	for (int i = 0; i < WORKERS; i++) workers[i] = worker();
	int kills = 0;
	while (time(0) < end) {
		int status;
		sleep_ms(20);
		int i = chance(WORKERS);
		if (chance(3) == 0) {
			CHECK(kill(workers[i], SIGKILL) == 0);
			kills++;
		}
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			for (i = 0; i < WORKERS; i++)
				if (pid == workers[i]) {
					CHECK(died_of(status, SIGKILL) || passed(status));
					workers[i] = worker();
				}
	}
	for (int i = 0; i < WORKERS; i++) kill(workers[i], SIGKILL);
	// Their children go with them.
	while (wait(0) > 0);
	CHECK(errno == ECHILD && kills > 0);
	system("rm -f /tmp/map-* /tmp/file-*");

	static char log[1 << 20];
	CHECK(klogctl(3, log, sizeof log - 1) >= 0);
	static const char *const mistakes[] = { "WARNING:", "] BUG", "Oops", "detected stall", "blocked for more than", "lockup" };
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
		if (strstr(log, mistakes[i])) {
			dprintf(2, "the kernel's log tells of a mistake:\n%s", log);
			return 1;
		}
	long after = available();
	if (after < before - 8192) {
		dprintf(2, "%ld KiB were available, %ld are now\n", before, after);
		return 1;
	}
}
