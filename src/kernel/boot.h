/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which boot of a kernel a dump is of. */
#ifndef KML_KERNEL_BOOT_H
#define KML_KERNEL_BOOT_H

#include "kernel/kernel.h"

/*
 * A number that two dumps share if, and practically only if, they are of the
 * same boot: a hash of what the kernel draws at random when it starts.  False
 * if it draws nothing that is known here (neither
 * CONFIG_SLAB_FREELIST_HARDENED nor CONFIG_STACKPROTECTOR).
 */
bool kernel_boot_id(struct kernel *kernel, uint64_t *ret);

#endif
