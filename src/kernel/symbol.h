/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for run-time addresses: of the kernel image and of loaded modules. */
#ifndef KML_KERNEL_SYMBOL_H
#define KML_KERNEL_SYMBOL_H

#include "kernel/kernel.h"

struct kernel_symbol_name {
	char name[128];
	uint64_t offset;
	uint64_t bytes; /* of the symbol; 0: unknown, or data */
	const char *module; /* NULL: the kernel proper */
};

/* The symbol that a run-time address lies in; false if none.  A module's
 * symbols are read from its own table in the dump. */
bool kernel_symbolize(struct kernel *kernel, uint64_t va,
		      struct kernel_symbol_name *ret);

/* "name+0x12 [module]", or the bare address; at most @bytes with the NUL. */
void kernel_format_symbol(struct kernel *kernel, uint64_t va, char *ret,
			  size_t bytes);

#endif
