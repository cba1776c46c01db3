/* Included before each test of posixtestsuite. Some use what they do not include, for glibc's headers
 * include each other more than others do; and those of asynchronous input and output look for the
 * version of POSIX that they were written for, not for one that has the option. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#undef _POSIX_ASYNCHRONOUS_IO
#define _POSIX_ASYNCHRONOUS_IO 200112L
