#include "optional_arguments.h"
#include "../prctl.c"
