// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inference goes from object to object, which may be anywhere among millions:
 * it waits for memory most of the time, unless what is known of the next
 * objects is asked for in time, one step at a time.  Nothing here changes a
 * result.
 */
#include "base/util.h"
#include "leak/infer_object.h"

#define STEP 8u      /* objects */
#define MAX_EDGES 16u /* of an object */

static void ask_for_object(const struct inference *i, uint32_t id)
{
	const struct heap *heap = i->kernel->heap;

	__builtin_prefetch(&i->said[id], 1);
	__builtin_prefetch(&heap->regions.data[heap->id_page[id / HEAP_ID_PAGE]]);
}

static void ask_for_type(const struct inference *i, uint32_t id)
{
	__builtin_prefetch(&i->out.type[id], 1);
	__builtin_prefetch(&i->out.confidence[id], 1);
}

static void ask_for_row(const struct inference *i, uint32_t id)
{
	uint64_t first = i->graph->first[id];

	__builtin_prefetch(&i->graph->edges[first]);
	__builtin_prefetch(&i->graph->edges[first + MAX_EDGES / 2]);
	__builtin_prefetch(&i->graph->at[first]);
}

/* To check an object takes the types of what it refers to; to follow it, what is
 * said of them. */
static void ask_for_targets(const struct inference *i, uint32_t id, bool check)
{
	const struct graph *graph = i->graph;
	uint64_t end = MIN(graph->first[id] + MAX_EDGES, graph->first[id + 1ull]);
	uint64_t j;

	for (j = graph->first[id]; j < end; j++) {
		if (check)
			ask_for_type(i, graph->edges[j].to);
		else
			ask_for_object(i, graph->edges[j].to);
	}
}

static void ask_for_words(const struct inference *i, uint32_t id)
{
	uint64_t first;
	uint32_t n;

	if (infer_words(i, id, &first, &n))
		__builtin_prefetch(&i->classes[first / 32]);
}

void infer_ask_ahead(const struct inference *i, const uint32_t *ids, size_t n,
		     bool check)
{
	if (n > 3 * STEP) {
		__builtin_prefetch(&i->graph->first[ids[3 * STEP]]);
		ask_for_object(i, ids[3 * STEP]);
		ask_for_type(i, ids[3 * STEP]);
	}
	if (n > 2 * STEP)
		ask_for_row(i, ids[2 * STEP]);
	if (n > STEP) {
		ask_for_targets(i, ids[STEP], check);
		if (check)
			ask_for_words(i, ids[STEP]);
	}
}
