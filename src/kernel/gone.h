/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that were unloaded.  Where their code stood nothing remembers; the
 * kernel keeps the name of the last one, and of each that tainted it (since
 * Linux 5.19, CONFIG_MODULE_UNLOAD_TAINT_TRACKING).
 */
#ifndef KML_KERNEL_GONE_H
#define KML_KERNEL_GONE_H

#include "kernel/kernel.h"

#define GONE_MODULES 16u

struct gone_modules {
	bool keeps_tainted;           /* all that tainted the kernel are... */
	char names[GONE_MODULES][KERNEL_NAME_BYTES]; /* ... here, none twice */
	unsigned n;
	bool more;
	char last[KERNEL_NAME_BYTES]; /* the last one, tainted or not; "": not
					 known */
};

void gone_modules_read(struct kernel *kernel, struct gone_modules *ret);

/* Is it an address of the module space where no module has its code now? */
bool kernel_is_gone(const struct kernel *kernel, uint64_t va);

#endif
