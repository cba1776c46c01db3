// SPDX-License-Identifier: MIT OR Apache-2.0
// C++17 [except.terminate]: std::terminate is called for an exception that nobody catches, and the exception counts as
// caught then. Each case runs in a child, whose handler tells by its status what std::current_exception gave.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

enum { NONE = 20, OTHER, BOOM };

[[noreturn]] static void tell()
{
	int status = NONE;
	if (auto current = std::current_exception()) {
		status = OTHER;
		try {
			std::rethrow_exception(current);
		} catch (const std::exception &e) {
			if (!strcmp(e.what(), "boom")) status = BOOM;
		} catch (...) {
		}
	}
	_exit(status);
}

[[gnu::noinline]] static void boom() { throw std::runtime_error("boom"); }
[[gnu::noinline]] static void promises() noexcept { boom(); }
[[gnu::noinline]] static int compare(const void *, const void *) { boom(); return 0; }

static void through_c()
{
	int numbers[] = { 2, 1 };
	qsort(numbers, 2, sizeof *numbers, compare);
}

struct Throws {
	~Throws() noexcept(false) { boom(); }
};

// Has come and gone before the one that matters.
struct Quiet {
	~Quiet()
	{
		try {
			throw 1;
		} catch (int) {
		}
	}
};

static void wrong_clause()
{
	try {
		boom();
	} catch (const std::logic_error &) {
	} catch (int) {
	}
}

static void again()
{
	try {
		boom();
	} catch (...) {
		throw;
	}
}

static void noexcept_inside()
{
	try {
		promises();
	} catch (...) {
		_exit(1);
	}
}

static void while_unwinding()
{
	try {
		Throws t;
		throw 5;
	} catch (...) {
		_exit(1);
	}
}

static void behind_others()
{
	Quiet q;
	try {
		boom();
	} catch (int) {
	}
}

static void in_thread() { std::thread(boom).join(); }
static void none() { throw; }
static void told() { std::terminate(); }
static void told_after_one_was_caught()
{
	try {
		boom();
	} catch (...) {
	}
	std::terminate();
}
static void nested()
{
	try {
		boom();
	} catch (...) {
		std::throw_with_nested(std::runtime_error("boom"));
	}
}
static void at_exit()
{
	atexit([] { boom(); });
	exit(0);
}

static bool failed;

static void check(const char *name, void (*run)(), int wanted, const char *word = nullptr)
{
	int output[2], status;
	if (pipe(output)) exit(2);
	pid_t child = fork();
	if (!child) {
		dup2(output[1], 2);
		if (!word) std::set_terminate(tell);
		run();
		_exit(0);
	}
	close(output[1]);
	char text[1000] = "";
	ssize_t n, size = 0;
	while ((n = read(output[0], text + size, sizeof text - 1 - size)) > 0) size += n;
	close(output[0]);
	waitpid(child, &status, 0);
	int found = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (found == wanted && (!word || (strstr(text, word) && strstr(text, "boom")))) return;
	printf("%s: status %d, not %d: %s\n", name, found, wanted, text);
	failed = true;
}

int main()
{
	check("uncaught", boom, BOOM);
	check("through C", through_c, BOOM);
	check("wrong clause", wrong_clause, BOOM);
	check("thrown again", again, BOOM);
	check("noexcept", noexcept_inside, BOOM);
	check("while unwinding", while_unwinding, BOOM);
	check("behind others", behind_others, BOOM);
	check("thread", in_thread, BOOM);
	check("nested", nested, BOOM);
	check("at exit", at_exit, BOOM);
	check("without an exception", none, NONE);
	check("told", told, NONE);
	check("told after one was caught", told_after_one_was_caught, NONE);
	check("uncaught, library's handler", boom, 128 + SIGABRT, "runtime_error");
	check("noexcept, library's handler", promises, 128 + SIGABRT, "runtime_error");
	check("thread, library's handler", in_thread, 128 + SIGABRT, "runtime_error");
	if (!failed) puts("as C++ says");
}
