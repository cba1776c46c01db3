#ifndef _BITS_SYSCALL_SLOTS_H
#define _BITS_SYSCALL_SLOTS_H
#ifdef __cplusplus
extern "C"
#endif
/* syscall() whose arguments have the 64 bits that they have on their way to the kernel. */
long __syscall_slots(long, long long, long long, long long, long long, long long, long long);
#endif
