/* A header of glibc that musl has not. */
#include <err.h>
#define error(status, number, ...) ((void)(number), (status) ? err(status, __VA_ARGS__) : warn(__VA_ARGS__))
