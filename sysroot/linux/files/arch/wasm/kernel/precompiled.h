/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What most files of the kernel include, compiled once: see ../Makefile. The
 * compiler's own time with a file is mostly that for headers.
 */
#include <linux/module.h>
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/device.h>
#include <linux/seq_file.h>
#include <linux/interrupt.h>
#include <linux/pagemap.h>
#include <linux/security.h>
#include <linux/netdevice.h>
#include <net/sock.h>

/* Kbuild includes that header once more, which wants to be the first. */
#undef __LINUX_COMPILER_VERSION_H
