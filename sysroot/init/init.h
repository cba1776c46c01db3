/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef INIT_H
#define INIT_H

#include <sys/types.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* Mounts the kernel's file systems and brings up what every program expects. */
void set_up_machine(void);

/* Mounts folders of the host: where, and "rw" or "ro", in turn, and a null pointer after them. */
void mount_shares(char **words);

/* Says what cannot be done. */
void complain(const char *what, const char *to_what, int error);

/* How the machine ends. */
enum ending { HALT, POWER_OFF, REBOOT, EXIT };

/* Waits until the child has ended, or all children if `pid` is -1. Is 0 if it takes longer. */
int has_ended_within(pid_t pid, int milliseconds);

/* Ends every process, writes back every file and ends the machine; for EXIT the boot binary exits
 * with `status`. */
_Noreturn void shut_down(enum ending how, int status);

#endif
