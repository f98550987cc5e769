/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stack depot (lib/stackdepot.c): the kernel keeps each call stack that its
 * debugging aids record once, in pools, and gives out 32-bit handles.  Used by
 * kmemleak, page_owner and SLUB's user tracking.
 */
#ifndef KML_KERNEL_STACKDEPOT_H
#define KML_KERNEL_STACKDEPOT_H

#include "kernel/kernel.h"

/* The kernel's users record 16 to 64 frames. */
#define STACKDEPOT_FRAMES 64u

struct stackdepot {
	uint64_t pools_va; /* of an array of addresses of pools */
	uint64_t n_pools;  /* of which only the first may be in use */
	uint64_t pool_bytes;
	uint32_t index_base; /* what the index of the first pool is */
	struct profile_member index, offset; /* bits of a handle */
	struct profile_member handle, size, entries; /* of a stack_record */
};

/* False: the kernel has none, or keeps it in a way that is not known. */
bool stackdepot_open(struct kernel *kernel, struct stackdepot *ret);

/*
 * Read a stack, innermost frame first: return addresses.  A handle of 0 stands
 * for none: *@n_ret is 0.  Stacks of more frames than there is room for are
 * cut.  KML_ERR_CORRUPT if the handle leads to no record of its own.
 */
struct kml_error *stackdepot_fetch(struct kernel *kernel,
				   const struct stackdepot *depot,
				   uint32_t handle,
				   uint64_t ret[STACKDEPOT_FRAMES],
				   size_t *n_ret) error_must_check;

#endif
