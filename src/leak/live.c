// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The live graph is built: its rows, the least rank that each node can be
 * reached with, and what is left of the rows then.
 */
#include "leak/live_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"

#define RANK_NONE 0xffu

/* Of words that are not answered. */
#define RANK_REGULAR 1u
#define RANK_IRREGULAR 3u
static const uint8_t anchor_ranks[ANCHOR_KINDS] = {
	[ANCHOR_VARIABLE] = 2,  [ANCHOR_PERCPU] = 2,    [ANCHOR_CODE] = 2,
	[ANCHOR_RESERVED] = 2,  [ANCHOR_PAGES] = 4,     [ANCHOR_STACK] = 5,
	[ANCHOR_IRQ_STACK] = 5, [ANCHOR_REGISTERS] = 5,
};

static struct kml_error *mark_nodes(struct live_build *b,
				    const uint64_t *reached)
{
	const struct heap *heap = b->kernel->heap;
	uint32_t id;
	size_t i;

	b->live->nodes = bitmap_alloc(b->live->n_objects);
	b->split = bitmap_alloc(b->live->n_objects);
	if (!b->live->nodes || !b->split)
		return error_nomem();
	for (id = 0; id < b->live->n_objects; id++) {
		if (bitmap_test(reached, id) && !bitmap_test(heap->free, id))
			bitmap_set(b->live->nodes, id);
	}
	for (i = 0; i < b->holders->split.size; i++)
		bitmap_set(b->split, b->holders->split.data[i]);
	return NULL;
}

/* What words of a node count that nothing answers, by sort. */
static const uint8_t *sort_ranks(const struct live_build *b, uint32_t from,
				 uint8_t of_holder[4])
{
	static const uint8_t of_object[4] = {
		[WORD_REGULAR] = RANK_REGULAR,
		[WORD_IRREGULAR] = RANK_IRREGULAR,
		[WORD_LOOKUP] = RANK_IRREGULAR,
		[SORT_ANSWERED] = 0,
	};

	if (from < b->live->n_objects)
		return of_object;
	memset(of_holder, 0, 4);
	of_holder[WORD_REGULAR] = anchor_ranks[
		b->holders->list.data[from - b->live->n_objects].kind];
	return of_holder;
}

/* @node can be reached with references of @rank: look at it in time, unless
 * that is known already. */
static void enqueue(struct live_build *b, uint32_t node, unsigned rank)
{
	if (b->rank[node] <= rank)
		return;
	b->rank[node] = (uint8_t)rank;
	b->queue[rank][b->n_queue[rank]++] = node;
}

/* It needs no holder. */
static struct kml_error *hold(struct live_build *b, uint32_t id, unsigned rank)
{
	enqueue(b, id, rank);
	return vec_push(&b->kept, id) ? NULL : error_nomem();
}

static void follow(struct live_build *b, uint32_t node, unsigned rank)
{
	const struct flow *flow = b->flow;
	uint8_t of_holder[4];
	const uint8_t *ranks = sort_ranks(b, node, of_holder);
	uint64_t i;

	for (i = flow->first[node]; i < flow->first[node + 1ull]; i++)
		enqueue(b, flow->to[i] & TARGET_MASK,
			MAX(rank, ranks[flow->to[i] >> SORT_SHIFT]));
}

/* The rows of nodes that come later, and the ranks of what is in them. */
static void ask_for_rows(const struct live_build *b, const uint32_t *queue,
			 uint32_t n)
{
	const struct flow *flow = b->flow;
	uint64_t i, end;

	if (n > 3 * AHEAD)
		__builtin_prefetch(&flow->first[queue[3 * AHEAD]]);
	if (n > 2 * AHEAD)
		__builtin_prefetch(&flow->to[flow->first[queue[2 * AHEAD]]]);
	if (n <= AHEAD)
		return;
	i = flow->first[queue[AHEAD]];
	end = MIN(flow->first[queue[AHEAD] + 1ull], i + AHEAD);
	for (; i < end; i++)
		__builtin_prefetch(&b->rank[flow->to[i] & TARGET_MASK], 1);
}

static void drain(struct live_build *b, unsigned rank)
{
	while (b->n_done[rank] < b->n_queue[rank]) {
		uint32_t at = b->n_done[rank]++;
		uint32_t node = b->queue[rank][at];

		ask_for_rows(b, &b->queue[rank][at], b->n_queue[rank] - at);
		/* It may have been reached by better means since. */
		if (b->rank[node] == rank)
			follow(b, node, rank);
	}
}

/* Modules' memory and the like: live by itself. */
static struct kml_error *hold_live(struct live_build *b)
{
	const struct heap *heap = b->kernel->heap;
	struct kml_error *error = NULL;
	uint32_t i, id;

	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		if (!(r->flags & HEAP_ROOT) || r->flags & HEAP_ALIAS)
			continue;
		for (id = r->first_id;
		     !error && id < r->first_id + r->n_objects; id++) {
			if (!is_node(b, id))
				continue;
			error = hold(b, id, 0);
		}
	}
	return error;
}

/* Does a node that nothing has led to so far refer to it? */
static uint64_t *find_referred(const struct live_build *b)
{
	uint64_t *referred = bitmap_alloc(b->live->n_objects);
	uint32_t id;
	uint64_t i;

	for (id = 0; referred && id < b->live->n_objects; id++) {
		if (b->rank[id] != RANK_NONE)
			continue;
		for (i = b->flow->first[id]; i < b->flow->first[id + 1ull]; i++)
			bitmap_set(referred, b->flow->to[i] & TARGET_MASK);
	}
	return referred;
}

/*
 * What is left is live by a rule, or in doubt, and what only those hold: first
 * those that no other one of them refers to, then the first one of each cycle.
 */
static struct kml_error *hold_rest(struct live_build *b)
{
	unsigned last = LIVE_RANKS - 1, pass;
	_cleanup_free_ uint64_t *referred = find_referred(b);
	struct kml_error *error = NULL;
	uint32_t id;

	if (!referred)
		return error_nomem();
	for (pass = 0; pass < 2; pass++) {
		for (id = 0; !error && id < b->live->n_objects; id++) {
			if (!is_node(b, id) || b->rank[id] != RANK_NONE ||
			    (!pass && bitmap_test(referred, id)))
				continue;
			error = hold(b, id, last);
			drain(b, last);
		}
	}
	return error;
}

static struct kml_error *find_ranks(struct live_build *b)
{
	uint32_t n = b->flow->n_nodes, i;
	struct kml_error *error;
	unsigned rank;

	memset(b->rank, RANK_NONE, n);
	for (i = 0; i < b->live->n_holders; i++)
		enqueue(b, live_anchor(b->live, i), 0);
	error = hold_live(b);
	for (rank = 0; !error && rank < LIVE_RANKS; rank++)
		drain(b, rank);
	return error ? error : hold_rest(b);
}

/* Leave out what has a higher rank than its target. */
static void cut_rows(struct live_build *b)
{
	struct flow *flow = b->flow;
	uint64_t i, start = 0, end, to = 0, n = flow->first[flow->root];
	uint32_t node;

	for (node = 0; node < flow->root; node++) {
		uint8_t of_holder[4];
		const uint8_t *ranks = sort_ranks(b, node, of_holder);

		end = flow->first[node + 1ull];
		flow->first[node] = to;
		for (i = start; i < end; i++) {
			uint32_t target = flow->to[i] & TARGET_MASK;

			if (i + AHEAD < n)
				__builtin_prefetch(&b->rank[flow->to[i + AHEAD] &
							    TARGET_MASK]);
			if (ranks[flow->to[i] >> SORT_SHIFT] <= b->rank[target])
				flow->to[to++] = target;
		}
		start = end;
	}
	b->live->n_edges = start;
	b->live->n_left_out = start - to;
	flow->first[flow->root] = to;
}

/* The root's row, which is the last: holders, and what needs none. */
static struct kml_error *add_root_row(struct live_build *b)
{
	struct flow *flow = b->flow;
	uint64_t at = flow->first[flow->root];
	uint64_t n = b->live->n_holders + b->kept.size;
	uint32_t *to = realloc(flow->to, MAX(at + n, 1) * sizeof(*to)), i;

	if (!to)
		return error_nomem();
	flow->to = to;
	for (i = 0; i < b->live->n_holders; i++)
		to[at + i] = live_anchor(b->live, i);
	if (b->kept.size)
		memcpy(to + at + b->live->n_holders, b->kept.data,
		       b->kept.size * sizeof(*to));
	flow->first[flow->root + 1ull] = at + n;
	return NULL;
}

static struct kml_error *rank_and_cut(struct live_build *b)
{
	struct kml_error *error;
	unsigned rank;
	uint64_t i;

	b->rank = huge_malloc(b->flow->n_nodes, 1);
	for (rank = 0; rank < LIVE_RANKS; rank++) {
		b->queue[rank] = huge_malloc(b->flow->n_nodes,
					     sizeof(*b->queue[rank]));
		if (!b->queue[rank])
			return error_nomem();
	}
	if (!b->rank)
		return error_nomem();
	error = live_find_answered(b);
	if (!error)
		error = find_ranks(b);
	if (error)
		return error;
	for (i = 0; i < b->live->n_objects; i++) {
		if (is_node(b, (uint32_t)i))
			b->live->rank_objects[b->rank[i]]++;
	}
	cut_rows(b);
	return add_root_row(b);
}

struct kml_error *live_build(struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached,
			     const struct anchors *holders, struct live *ret,
			     struct flow *flow)
{
	struct live live = {
		.n_objects = graph->n_objects,
		.n_holders = (uint32_t)holders->list.size,
	};
	struct live_build b = {
		.kernel = kernel, .graph = graph, .holders = holders,
		.live = &live, .flow = flow,
		.n_threads = MAX(kernel->n_threads, 1),
	};
	struct kml_error *error;
	unsigned rank, i;

	memset(flow, 0, sizeof(*flow));
	if ((uint64_t)live.n_objects + live.n_holders >= TARGET_MASK)
		return error_new(KML_ERR_UNSUPPORTED, "too many objects");
	error = mark_nodes(&b, reached);
	if (!error)
		error = regular_find(kernel, graph, live.nodes, &b.regular);
	if (!error)
		error = live_fill_rows(&b);
	if (!error)
		error = rank_and_cut(&b);
	for (i = 0; b.rows && i < b.n_threads; i++)
		regular_row_deinit(&b.rows[i]);
	free(b.rows);
	regular_deinit(&b.regular);
	free(b.chunk_end);
	free(b.split);
	free(b.rank);
	for (rank = 0; rank < LIVE_RANKS; rank++)
		free(b.queue[rank]);
	vec_deinit(&b.kept);
	if (error) {
		flow_deinit(flow);
		live_deinit(&live);
		return error;
	}
	*ret = live;
	return NULL;
}

void live_deinit(struct live *live)
{
	free(live->nodes);
	live->nodes = NULL;
}
