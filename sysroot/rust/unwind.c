// SPDX-License-Identifier: MIT OR Apache-2.0
/* What Rust's standard library asks of an unwinder. An exception of WebAssembly does the work; the
 * native stack of a program cannot be read by it, so that a backtrace has no frames. */
#include <stdint.h>

typedef struct exception {
	uint64_t class;
	void (*cleanup)(int reason, struct exception *);
} exception;

int _Unwind_RaiseException(exception *thrown)
{
	__builtin_wasm_throw(0, thrown);
}

void _Unwind_DeleteException(exception *caught)
{
	if (caught->cleanup) caught->cleanup(1, caught);
}

enum { END_OF_STACK = 5 };

int _Unwind_Backtrace(int (*visit)(void *frame, void *argument), void *argument)
{
	return END_OF_STACK;
}

uintptr_t _Unwind_GetIP(void *frame) { return 0; }
uintptr_t _Unwind_GetCFA(void *frame) { return 0; }
void *_Unwind_FindEnclosingFunction(void *address) { return address; }
