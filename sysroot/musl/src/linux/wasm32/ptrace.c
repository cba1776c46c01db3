#include "optional_arguments.h"
#include "../ptrace.c"
