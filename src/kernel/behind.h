/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that has no name but by the variable that points to its start: what
 * the boot allocator gave to hash tables (alloc_large_system_hash()), vmalloc
 * areas, blocks of pages.
 *
 * That is found by looking through all variables of the kernel and its modules
 * for such pointers, whatever they are called.  Where a block of the boot
 * allocator ends no record says: one is taken to go on until another pointer's
 * target, or the end of the reserved pages.  So what stands there is "behind"
 * a variable, not in its table.
 */
#ifndef KML_KERNEL_BEHIND_H
#define KML_KERNEL_BEHIND_H

#include "kernel/kernel.h"

struct kernel_behind {
	uint64_t start_va, end_va;
	uint64_t variable_va; /* of the pointer; the first one of several */
	uint64_t offset;      /* from the start */
};

/* Is @va in memory that a variable points to the start of?  The first question
 * reads all variables. */
struct kml_error *kernel_find_behind(struct kernel *kernel, uint64_t va,
				     bool *found_ret, struct kernel_behind *ret)
	error_must_check;

/* Find all of them, unless that was done: for a record of them. */
struct kml_error *kernel_load_behind(struct kernel *kernel) error_must_check;

/* "dentry_hashtable", or "tcp_hashinfo+0x10", "table [module]". */
void kernel_format_behind(struct kernel *kernel,
			  const struct kernel_behind *behind, char *ret,
			  size_t bytes);

#endif
