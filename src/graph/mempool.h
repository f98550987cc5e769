/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies in mempools for bad times.  An element of a pool of raw memory
 * (mempool_alloc_slab(), mempool_kmalloc() of mm/mempool.c) has been given back
 * by its user: what it refers to is left over from its last use, as the pages
 * and owners of bios are.
 *
 * Pools are parts of other structures; the pass over the image meets them by
 * their pointers to these functions.
 */
#ifndef KML_GRAPH_MEMPOOL_H
#define KML_GRAPH_MEMPOOL_H

#include "graph/graph.h"

/* A word that has the address of such a function. */
struct mempool_word {
	uint32_t from, word; /* as in struct graph */
};

struct mempools {
	bool known;
	struct profile_member min_nr, curr_nr, elements, pool_data, alloc;
	uint64_t bytes; /* of a mempool_t */
	uint64_t alloc_slab, kmalloc;
};

void mempools_init(struct mempools *pools, const struct kernel *kernel);

static inline bool mempools_match(const struct mempools *pools, uint64_t word)
{
	return word == pools->alloc_slab || word == pools->kmalloc;
}

/* Set the bits of objects that lie unused in the pool that @word is of, if it
 * is of one.  What cannot be read or believed is no pool. */
struct kml_error *mempools_mark(const struct mempools *pools,
				struct kernel *kernel,
				const struct graph *graph,
				const struct mempool_word *word,
				uint64_t *idle) error_must_check;

#endif
