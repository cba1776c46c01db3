// SPDX-License-Identifier: MIT OR Apache-2.0
/* The unwinder of WebAssembly throws, and learns nothing of it. Here it keeps the exceptions that nobody has caught
 * yet, so that std::terminate knows them: C++ counts an exception as caught then, and std::current_exception
 * gives it. linnet++.cfg has the linker put __wrap_x in the place of x. */
#define _Unwind_RaiseException __linnet_throw
#include "Unwind-wasm.c"
#undef _Unwind_RaiseException

/* In flight in this thread, the last one first; each knows the one before by its private_2. */
static thread_local struct _Unwind_Exception *in_flight;

_Unwind_Reason_Code _Unwind_RaiseException(struct _Unwind_Exception *exception)
{
	exception->private_2 = (uintptr_t)in_flight;
	in_flight = exception;
	return __linnet_throw(exception);
}

void *__real___cxa_begin_catch(void *);
void *__wrap___cxa_begin_catch(void *exception)
{
	if (exception == in_flight) in_flight = (void *)in_flight->private_2;
	return __real___cxa_begin_catch(exception);
}

/* std::terminate: called out of noexcept functions with an exception in flight. */
_Noreturn void __real__ZSt9terminatev(void);
_Noreturn void __wrap__ZSt9terminatev(void)
{
	if (in_flight) __wrap___cxa_begin_catch(in_flight);
	__real__ZSt9terminatev();
}

/* The runtime calls it where an exception is thrown that nobody catches. */
void __linnet_uncaught(void)
{
	if (in_flight) __wrap__ZSt9terminatev();
}
