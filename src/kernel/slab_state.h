/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which objects of one slab are free; called by the pass over the image. */
#ifndef KML_KERNEL_SLAB_STATE_H
#define KML_KERNEL_SLAB_STATE_H

#include "kernel/kernel.h"

/* What was wrong with a slab, if anything. */
enum slab_verdict {
	SLAB_SOUND,
	SLAB_TORN,       /* the freelist contradicts itself or the counts */
	SLAB_EMPTY,      /* the same, but no object is in use: all are free */
	SLAB_UNREADABLE, /* a page of it is not in the dump */
};

/*
 * Set the state bits of the objects of slab @index, whose @n_pages pages are
 * in @buf, those in @missing zeroed.  Thread-safe for different slabs.
 */
enum slab_verdict slab_set_states(const struct kernel *kernel, uint32_t index,
				  const char *buf, uint64_t missing);

#endif
