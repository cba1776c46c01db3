#include "optional_arguments.h"
#include "../fcntl.c"
