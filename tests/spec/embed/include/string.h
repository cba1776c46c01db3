/* What the test's host needs of the C library: there are headers of this machine's only. */
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
