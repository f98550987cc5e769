/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference graph: who points to whom.
 *
 * graph_scan() makes one pass over the image, in the order of page frames and
 * in parallel, and turns every word that refers to an object into an edge.
 * The edges are kept by source in compressed sparse rows.  After that nothing
 * here touches the image again.
 *
 * A source is an object (its id) or a root (n_objects + index into
 * kernel.roots).  The last sources are the struct pages that belong to no
 * object, which have no entry there.
 */
#ifndef KML_GRAPH_GRAPH_H
#define KML_GRAPH_GRAPH_H

#include <stdint.h>

#include "base/error.h"
#include "kernel/kernel.h"

/* Page frames that share a source for their struct pages. */
#define GRAPH_PAGES_SHIFT 26

struct graph_edge {
	uint32_t to;
	uint32_t where; /* word of the source | enum heap_reference << 29 */
};

static inline uint32_t graph_edge_word(const struct graph_edge *edge)
{
	return edge->where & ((1u << 29) - 1);
}

static inline enum heap_reference graph_edge_how(const struct graph_edge *edge)
{
	return (enum heap_reference)(edge->where >> 29);
}

/*
 * A word that equals an address of an object and is nevertheless no reference
 * to it.  Nothing follows these; they are kept as what a verdict rests on.
 */
enum graph_disregard {
	DISREGARD_OWNER,   /* the last owner of a lock, by its flag bits */
	DISREGARD_INTEGER, /* equal to a physical address, where none are
			      kept */
	DISREGARD_MEMBER,  /* of a member that is no pointer: with @precise, or
			      equal to a small per-cpu pointer */
	GRAPH_DISREGARDS,
};

struct graph_disregarded {
	uint32_t to, from; /* as in struct graph */
	uint32_t word;     /* of the source */
	uint32_t why;      /* enum graph_disregard */
};

/* What the pass saw; mdb's ::findleaks -v counts the same. */
struct graph_statistics {
	uint64_t pages;      /* read and scanned */
	uint64_t words;      /* looked at */
	uint64_t candidates; /* inside some address range with objects */
	uint64_t misses;     /* of these: not in an object */
	uint64_t self;       /* an object's references to itself */
	uint64_t references; /* edges */
	uint64_t slabs_torn, slabs_unreadable;
	uint64_t typed_caches; /* whose objects' type is known */
	uint64_t integers;     /* words disregarded as DISREGARD_MEMBER */
};

struct graph {
	uint32_t n_objects;
	uint32_t n_sources;
	uint64_t n_edges;
	uint64_t *first; /* n_sources + 1 */
	struct graph_edge *edges;
	uint32_t *at; /* by edge: how far into the object it points, bytes;
			 NULL without @offsets */
	struct graph_disregarded *disregarded; /* sorted by .to */
	size_t n_disregarded;
	uint64_t *idle; /* a bit per object: unused, in a mempool, and so a
			   source of nothing (mempool.h) */
	struct graph_statistics statistics;
};

/* Of a per-cpu block, by an address that is not its first CPU's. */
#define GRAPH_AT_UNKNOWN UINT32_MAX

/* Scan everything and build the graph; sets the states of all objects.
 * @precise: of objects whose type is known only pointer members refer.
 * @offsets: note where in an object each reference points, for inference. */
struct kml_error *graph_scan(struct kernel *kernel, bool precise,
			     bool offsets, struct graph *ret) error_must_check;
void graph_deinit(struct graph *graph);

/* The first of the disregarded references to @id, *@n of them in a row. */
const struct graph_disregarded *
graph_find_disregarded(const struct graph *graph, uint32_t id, size_t *n);

/* A source that is a root: its index in kernel.roots, or UINT32_MAX if it
 * stands for struct pages or is an object. */
uint32_t graph_source_root(const struct graph *graph,
			   const struct kernel *kernel, uint32_t source);

#endif
