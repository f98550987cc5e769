/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each object and each holder retains: itself and all that would be
 * leaked without it.  Flat arrays by node (live.h numbers them); nothing here
 * reads the image once it is done.
 */
#ifndef KML_LEAK_RETAINED_H
#define KML_LEAK_RETAINED_H

#include "leak/live.h"

struct retained {
	struct anchors holders;
	struct live live;
	struct dominators tree;
	/* By node.  Counted is what is live beyond doubt, as in the summary of
	 * a report; other nodes count as none. */
	uint32_t *objects;
	uint64_t *bytes;
	/* The nodes that each one dominates at once, in rows, by bytes: the
	 * one that retains most comes first. */
	uint64_t *first_child; /* n_nodes + 1 */
	uint32_t *children;
};

struct kml_error *retained_find(struct kernel *kernel,
				const struct graph *graph,
				const uint64_t *reached, struct retained *ret)
	error_must_check;
void retained_deinit(struct retained *retained);

/* Live: allocated beyond doubt, reached, and not on its way to be freed. */
static inline bool retained_counts(const struct heap *heap, uint32_t id)
{
	return heap_is_allocated(heap, id) && !bitmap_test(heap->waiting, id) &&
	       !bitmap_test(heap->quarantined, id) &&
	       !bitmap_test(heap->cached, id);
}

/* Its memory.  A mapping has none: what vmap() maps is another object's, what
 * ioremap() maps a device's. */
uint64_t retained_own_bytes(const struct heap *heap, uint32_t id);

static inline bool retained_is_object(const struct retained *retained,
				      uint32_t node)
{
	return node < retained->live.n_objects;
}

#endif
