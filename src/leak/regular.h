/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which words of objects are likely members that hold something, where no type
 * is known.
 *
 * A member is regular: the same word of many objects of a cache refers to
 * objects of one cache (or kind), and a table refers to many of those.  A stale
 * word stands anywhere.  And some members are there to find an object, not to
 * keep it: all file systems' directory entries and inodes are in one hash.
 */
#ifndef KML_LEAK_REGULAR_H
#define KML_LEAK_REGULAR_H

#include "graph/graph.h"

enum word_sort {
	WORD_REGULAR,
	WORD_IRREGULAR,
	WORD_LOOKUP, /* of a structure to look objects up by */
};

struct regular {
	const struct kernel *kernel;
	const struct graph *graph;
	uint32_t n_classes;   /* caches, then kinds */
	uint32_t *classes;    /* by object */
	uint64_t *first;      /* by cache: its counts; NULL: too many */
	uint32_t *counts;     /* by word and class of target */
	uint64_t **lookups;   /* by cache: a bit per word; NULL: none */
	/* Of the object that is looked at: */
	uint32_t *row;        /* by class */
	const struct heap_region *from;
};

struct kml_error *regular_find(struct kernel *kernel, const struct graph *graph,
			       const uint64_t *nodes, struct regular *ret)
	error_must_check;
void regular_deinit(struct regular *regular);

/* Look at the references of object @id: those of its regular_sort() are of
 * it.  Not for several threads at once. */
void regular_start(struct regular *regular, uint32_t id);
enum word_sort regular_sort(const struct regular *regular,
			    const struct graph_edge *edge);
void regular_end(struct regular *regular, uint32_t id);

#endif
