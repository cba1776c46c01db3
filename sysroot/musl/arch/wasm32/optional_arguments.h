/* A caller passes variadic arguments in memory, and a null list if there are none: a function whose
 * last argument is optional must not read it then, for address 0 is never mapped. */
#include <stdarg.h>
#undef va_arg
#define va_arg(list, type) ((list) ? __builtin_va_arg(list, type) : (type)0)
