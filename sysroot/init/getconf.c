// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * getconf(1) of POSIX: what the C library knows of this machine. The names of its variables come from its own
 * headers, see build.sh; each is known with and without the prefix that the standard gives it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct variable {
	const char *name;
	long long value;	/* what the function is asked for, or the value itself */
};

#define VARIABLE(name, number) { name, number },
#define NOTHING(name, number)

#define SYSTEM VARIABLE
#define PATH NOTHING
#define TEXT NOTHING
static const struct variable of_system[] = {
#include "names.h"
};
#undef SYSTEM
#define SYSTEM NOTHING
#undef PATH
#define PATH VARIABLE
static const struct variable of_path[] = {
#include "names.h"
};
#undef PATH
#define PATH NOTHING
#undef TEXT
#define TEXT VARIABLE
static const struct variable of_text[] = {
#include "names.h"
};

#define LIMIT(name) { #name, (long long)name },
static const struct variable limits[] = {
	LIMIT(CHAR_BIT) LIMIT(CHAR_MAX) LIMIT(CHAR_MIN) LIMIT(INT_MAX) LIMIT(INT_MIN) LIMIT(LLONG_MAX) LIMIT(LLONG_MIN)
	LIMIT(LONG_BIT) LIMIT(LONG_MAX) LIMIT(LONG_MIN) LIMIT(MB_LEN_MAX) LIMIT(NL_ARGMAX) LIMIT(NL_LANGMAX)
	LIMIT(NL_MSGMAX) LIMIT(NL_NMAX) LIMIT(NL_SETMAX) LIMIT(NL_TEXTMAX) LIMIT(SCHAR_MAX) LIMIT(SCHAR_MIN)
	LIMIT(SHRT_MAX) LIMIT(SHRT_MIN) LIMIT(SSIZE_MAX) LIMIT(UCHAR_MAX) LIMIT(UINT_MAX) LIMIT(ULONG_MAX)
	LIMIT(USHRT_MAX) LIMIT(WORD_BIT)
	/* The least that every system has. */
	LIMIT(_POSIX_AIO_LISTIO_MAX) LIMIT(_POSIX_AIO_MAX) LIMIT(_POSIX_ARG_MAX) LIMIT(_POSIX_CHILD_MAX)
	LIMIT(_POSIX_DELAYTIMER_MAX) LIMIT(_POSIX_HOST_NAME_MAX) LIMIT(_POSIX_LINK_MAX) LIMIT(_POSIX_LOGIN_NAME_MAX)
	LIMIT(_POSIX_MAX_CANON) LIMIT(_POSIX_MAX_INPUT) LIMIT(_POSIX_MQ_OPEN_MAX) LIMIT(_POSIX_MQ_PRIO_MAX)
	LIMIT(_POSIX_NAME_MAX) LIMIT(_POSIX_NGROUPS_MAX) LIMIT(_POSIX_OPEN_MAX) LIMIT(_POSIX_PATH_MAX)
	LIMIT(_POSIX_PIPE_BUF) LIMIT(_POSIX_RE_DUP_MAX) LIMIT(_POSIX_RTSIG_MAX) LIMIT(_POSIX_SEM_NSEMS_MAX)
	LIMIT(_POSIX_SEM_VALUE_MAX) LIMIT(_POSIX_SIGQUEUE_MAX) LIMIT(_POSIX_SSIZE_MAX) LIMIT(_POSIX_STREAM_MAX)
	LIMIT(_POSIX_SYMLINK_MAX) LIMIT(_POSIX_SYMLOOP_MAX) LIMIT(_POSIX_TIMER_MAX) LIMIT(_POSIX_TTY_NAME_MAX)
	LIMIT(_POSIX_TZNAME_MAX) LIMIT(_POSIX2_BC_BASE_MAX) LIMIT(_POSIX2_BC_DIM_MAX) LIMIT(_POSIX2_BC_SCALE_MAX)
	LIMIT(_POSIX2_BC_STRING_MAX) LIMIT(_POSIX2_COLL_WEIGHTS_MAX) LIMIT(_POSIX2_EXPR_NEST_MAX)
	LIMIT(_POSIX2_LINE_MAX) LIMIT(_POSIX2_RE_DUP_MAX)
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* In C the variable is `prefix`, such as _SC_, and `header`. */
static int is_called(const char *header, const char *prefix, const char *name)
{
	static const char *const before[] = { "", "_POSIX_", "_" };

	if (!strncmp(name, prefix, 4) && !strcmp(name + 4, header)) return 1;
	for (size_t i = 0; i < COUNT(before); i++) {
		size_t length = strlen(before[i]);

		if (!strncmp(name, before[i], length) && !strcmp(name + length, header)) return 1;
	}
	/* _SC_2_VERSION is POSIX2_VERSION. */
	if (header[0] != '2' || header[1] != '_') return 0;
	name += *name == '_';
	return !strncmp(name, "POSIX", 5) && !strcmp(name + 5, header);
}

static const struct variable *find(const struct variable *table, size_t count, const char *prefix, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (is_called(table[i].name, prefix, name)) return &table[i];
	return NULL;
}

/* Negative without an error: there is no such limit, or no such option. */
static int number(long value, const char *what)
{
	if (value < 0 && errno) {
		fprintf(stderr, "getconf: %s: %s\n", what, strerror(errno));
		return 1;
	}
	if (value < 0)
		puts("undefined");
	else
		printf("%ld\n", value);
	return 0;
}

static int text(int name)
{
	char value[256] = "";

	confstr(name, value, sizeof value);
	return puts(value) < 0;
}

static int print(const char *name)
{
	const struct variable *found;

	for (size_t i = 0; i < COUNT(limits); i++)
		if (!strcmp(limits[i].name, name)) return printf("%lld\n", limits[i].value) < 0;
	errno = 0;
	if ((found = find(of_system, COUNT(of_system), "_SC_", name))) return number(sysconf(found->value), name);
	if ((found = find(of_text, COUNT(of_text), "_CS_", name))) return text(found->value);
	fprintf(stderr, "getconf: %s: no such variable\n", name);
	return 2;
}

static int print_of(const char *name, const char *path)
{
	const struct variable *found = find(of_path, COUNT(of_path), "_PC_", name);

	if (!found) {
		fprintf(stderr, "getconf: %s: no such variable of a path\n", name);
		return 2;
	}
	/* The C library knows the same of every path, whether it exists or not. */
	if (access(path, F_OK)) {
		fprintf(stderr, "getconf: %s: %s\n", path, strerror(errno));
		return 1;
	}
	errno = 0;
	return number(pathconf(path, found->value), path);
}

static int print_all(const char *path)
{
	for (size_t i = 0; i < COUNT(of_path); i++) {
		printf("%-34s ", of_path[i].name);
		print_of(of_path[i].name, path);
	}
	for (size_t i = 0; i < COUNT(of_system); i++) {
		printf("%-34s ", of_system[i].name);
		errno = 0;
		number(sysconf(of_system[i].value), of_system[i].name);
	}
	for (size_t i = 0; i < COUNT(of_text); i++) {
		printf("%-34s ", of_text[i].name);
		text(of_text[i].value);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status;

	/* There is one environment for programs: whatever is asked for, this is it. */
	if (argc > 1 && !strncmp(argv[1], "-v", 2)) {
		int words = argv[1][2] ? 1 : 2;

		argc -= words;
		argv += words;
	}
	if (argc > 1 && !strcmp(argv[1], "--")) {
		argc--;
		argv++;
	}
	if (argc > 1 && argc < 4 && !strcmp(argv[1], "-a"))
		status = print_all(argc == 3 ? argv[2] : ".");
	else if (argc == 2 && argv[1][0] != '-')
		status = print(argv[1]);
	else if (argc == 3)
		status = print_of(argv[1], argv[2]);
	else {
		fputs("usage: getconf [-v SPECIFICATION] VARIABLE [PATH], getconf -a [PATH]\n", stderr);
		return 2;
	}
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
