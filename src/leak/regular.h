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
	const uint64_t *nodes; /* while they are counted */
	uint32_t n_classes;   /* caches, then kinds */
	uint64_t *first;      /* by cache: its counts; NULL: too many */
	uint32_t *counts;     /* by word and class of target; enough is enough */
	uint16_t *classes;    /* by object; NULL: too many */
	uint64_t **lookups;   /* by cache: a bit per word; NULL: none */
};

/* The references of an object, while they are looked at. */
struct regular_row {
	const struct regular *regular;
	const struct heap_region *from;
	uint32_t *counts; /* by class */
};

struct kml_error *regular_find(struct kernel *kernel, const struct graph *graph,
			       const uint64_t *nodes, struct regular *ret)
	error_must_check;
void regular_deinit(struct regular *regular);

/* One for each thread. */
struct kml_error *regular_row_init(struct regular_row *row,
				   const struct regular *regular)
	error_must_check;
void regular_row_deinit(struct regular_row *row);

/* Look at the references of object @id: those that regular_sort() gets until
 * regular_end() are of it. */
void regular_start(struct regular_row *row, uint32_t id);
enum word_sort regular_sort(const struct regular_row *row,
			    const struct graph_edge *edge);
void regular_end(struct regular_row *row, uint32_t id);

#endif
