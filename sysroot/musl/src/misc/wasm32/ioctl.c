#include "optional_arguments.h"
#include "../ioctl.c"
