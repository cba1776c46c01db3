/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_WASM_SIGNAL_H
#define _UAPI_ASM_WASM_SIGNAL_H

/*
 * Handlers have many types but an indirect call has one, so that a handler is
 * always called by a function of libc whose type is known: the restorer.
 */
#define SA_RESTORER	0x04000000

#include <asm-generic/signal.h>

#endif
