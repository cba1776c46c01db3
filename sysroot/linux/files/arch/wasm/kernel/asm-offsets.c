// SPDX-License-Identifier: GPL-2.0
/* There is no assembly that would need an offset. */
#include <linux/kbuild.h>

int main(void)
{
	return 0;
}
