#include "optional_arguments.h"
#include "../clone.c"
