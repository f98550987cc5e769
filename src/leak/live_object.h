/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of live.h share. */
#ifndef KML_LEAK_LIVE_OBJECT_H
#define KML_LEAK_LIVE_OBJECT_H

#include "base/util.h"
#include "leak/live.h"
#include "leak/regular.h"

#define CHUNK_NODES 65536u
/* Of a target, until rows are cut: what sort of word leads there; those that
 * count more come first. */
#define SORT_SHIFT 30
#define TARGET_MASK ((1u << SORT_SHIFT) - 1)
#define SORT_ANSWERED 3u /* the target refers to the source */
/* Memory is asked for so many references ahead. */
#define AHEAD 16u

struct live_build {
	struct kernel *kernel;
	const struct graph *graph;
	const struct anchors *holders;
	struct live *live;
	uint64_t *split; /* a bit per object */
	struct flow *flow;
	struct regular regular;
	struct regular_row *rows; /* by thread */
	unsigned n_threads;
	uint64_t *chunk_end; /* of the rows of a chunk of objects */
	uint8_t *rank;       /* by node: what it takes to reach it */
	/* Nodes to be looked at, the first one first; none is twice in one of
	 * these. */
	uint32_t *queue[LIVE_RANKS];
	uint32_t n_queue[LIVE_RANKS], n_done[LIVE_RANKS];
	VEC(uint32_t) kept; /* objects of the root's row */
};

static inline bool is_node(const struct live_build *b, uint32_t id)
{
	return bitmap_test(b->live->nodes, id);
}

/* Objects by chunks, for threads. */
static inline uint64_t n_chunks(const struct live_build *b)
{
	return (b->live->n_objects + (CHUNK_NODES - 1ull)) / CHUNK_NODES;
}

static inline uint32_t chunk_start(uint64_t chunk)
{
	return (uint32_t)(chunk * CHUNK_NODES);
}

static inline uint32_t chunk_stop(const struct live_build *b, uint64_t chunk)
{
	return (uint32_t)MIN((chunk + 1) * CHUNK_NODES, b->live->n_objects);
}

/* live_rows.c: all rows but the root's, which is not known yet. */
struct kml_error *live_fill_rows(struct live_build *b) error_must_check;

/* live_answer.c: give targets that refer to the row's node SORT_ANSWERED. */
struct kml_error *live_find_answered(struct live_build *b) error_must_check;

#endif
