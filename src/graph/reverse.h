/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference graph by target: who refers to an object.  Made from the graph
 * when it is asked for, by counting, 8 bytes a reference; either of all
 * objects or of a few.
 */
#ifndef KML_GRAPH_REVERSE_H
#define KML_GRAPH_REVERSE_H

#include "graph/graph.h"

struct graph_reference {
	uint32_t from;  /* as in struct graph */
	uint32_t where; /* as in struct graph_edge */
};

static inline uint32_t graph_reference_word(const struct graph_reference *r)
{
	return r->where & ((1u << 29) - 1);
}

static inline enum heap_reference
graph_reference_how(const struct graph_reference *r)
{
	return (enum heap_reference)(r->where >> 29);
}

/* Rows by target, in order of the source and its words. */
struct graph_reverse {
	uint32_t n_objects;
	uint64_t *first; /* n_objects + 1 */
	struct graph_reference *references;
};

/* @only: a bit for each object whose references are wanted; NULL: of all. */
struct kml_error *graph_reverse(const struct graph *graph,
				const uint64_t *only,
				struct graph_reverse *ret) error_must_check;
void graph_reverse_deinit(struct graph_reverse *reverse);

#endif
