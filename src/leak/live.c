// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/util.h"
#include "leak/regular.h"

#define RANK_NONE 0xffu
#define CHUNK_NODES 65536u
/* Of a target while its row is made: what sort of word it is; those that count
 * more come first. */
#define SORT_SHIFT 30
#define TARGET_MASK ((1u << SORT_SHIFT) - 1)

/* Of words that are not answered. */
#define RANK_REGULAR 1u
#define RANK_IRREGULAR 3u
static const uint8_t anchor_ranks[ANCHOR_KINDS] = {
	[ANCHOR_VARIABLE] = 2,  [ANCHOR_PERCPU] = 2,    [ANCHOR_CODE] = 2,
	[ANCHOR_RESERVED] = 2,  [ANCHOR_PAGES] = 4,     [ANCHOR_STACK] = 5,
	[ANCHOR_IRQ_STACK] = 5, [ANCHOR_REGISTERS] = 5,
};

struct build {
	struct kernel *kernel;
	const struct graph *graph;
	const struct anchors *holders;
	struct live *live;
	uint64_t *split; /* a bit per object */
	struct flow *flow;
	struct regular regular;
	/* Bits per edge: it is an object's irregular word, or one of a lookup. */
	uint64_t *irregular, *lookup;
	uint64_t *answered; /* a bit per edge: its target refers to its source */
	uint8_t *rank;      /* by node: what it takes to reach it */
	uint32_t *queue[LIVE_RANKS]; /* nodes to be looked at */
	uint32_t n_queue[LIVE_RANKS];
	VEC(uint32_t) kept; /* objects of the root's row */
};

/* ---- rows */

static bool is_node(const struct build *b, uint32_t id)
{
	return bitmap_test(b->live->nodes, id);
}

static struct kml_error *mark_nodes(struct build *b, const uint64_t *reached)
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

/* By target; then what counts more comes first. */
static uint32_t row_key(uint32_t entry)
{
	return entry << (32 - SORT_SHIFT) | entry >> SORT_SHIFT;
}

static int compare_entries(const void *a, const void *b)
{
	uint32_t x = row_key(*(const uint32_t *)a);
	uint32_t y = row_key(*(const uint32_t *)b);

	return (x > y) - (x < y);
}

static void sort_row(uint32_t *row, uint64_t n)
{
	uint64_t i, j;

	if (n > 24) {
		qsort(row, n, sizeof(*row), compare_entries);
		return;
	}
	for (i = 1; i < n; i++) {
		uint32_t to = row[i];

		for (j = i; j > 0 && row_key(row[j - 1]) > row_key(to); j--)
			row[j] = row[j - 1];
		row[j] = to;
	}
}

/* Sort the row at @at, each target once; how many are left. */
static uint64_t tidy_row(struct build *b, uint64_t at, uint64_t n)
{
	uint32_t *row = b->flow->to + at, sort;
	uint64_t i, kept = 0;

	sort_row(row, n);
	for (i = 0; i < n; i++) {
		if (kept && row[kept - 1] == (row[i] & TARGET_MASK))
			continue;
		sort = row[i] >> SORT_SHIFT;
		if (sort == WORD_IRREGULAR)
			bitmap_set(b->irregular, at + kept);
		else if (sort == WORD_LOOKUP)
			bitmap_set(b->lookup, at + kept);
		row[kept++] = row[i] & TARGET_MASK;
	}
	return kept;
}

/* The targets of an object, untidy, at @row. */
static uint64_t object_row(struct build *b, uint32_t id, uint32_t *row)
{
	const struct graph *graph = b->graph;
	uint64_t i, n = 0;

	if (!is_node(b, id) || bitmap_test(b->split, id))
		return 0;
	regular_start(&b->regular, id);
	for (i = graph->first[id]; i < graph->first[id + 1ull]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint32_t sort;

		if (!is_node(b, edge->to))
			continue;
		sort = regular_sort(&b->regular, edge);
		row[n++] = edge->to | sort << SORT_SHIFT;
	}
	regular_end(&b->regular, id);
	return n;
}

static uint64_t holder_row(const struct build *b, uint32_t holder,
			   uint32_t *row)
{
	uint64_t i, n = 0;

	for (i = b->holders->list.data[holder].first_edge;
	     i < anchor_edges_end(b->holders, holder); i++) {
		uint32_t to = b->holders->edges.data[i].to;

		if (is_node(b, to))
			row[n++] = to;
	}
	return n;
}

/* All rows but the root's, which is not known yet. */
static struct kml_error *fill_rows(struct build *b)
{
	uint64_t max = b->graph->n_edges + b->holders->edges.size, at = 0;
	uint32_t n_objects = b->live->n_objects, node;
	struct flow *flow = b->flow;

	flow->n_nodes = live_root(b->live) + 1;
	flow->root = live_root(b->live);
	flow->first = malloc((flow->n_nodes + 1ull) * sizeof(*flow->first));
	flow->to = malloc(MAX(max, 1) * sizeof(*flow->to));
	b->irregular = bitmap_alloc(max);
	b->lookup = bitmap_alloc(max);
	if (!flow->first || !flow->to || !b->irregular || !b->lookup)
		return error_nomem();
	for (node = 0; node < flow->root; node++) {
		uint64_t n = node < n_objects ?
				     object_row(b, node, flow->to + at) :
				     holder_row(b, node - n_objects,
						flow->to + at);

		flow->first[node] = at;
		at += tidy_row(b, at, n);
	}
	flow->first[flow->root] = flow->first[flow->root + 1ull] = at;
	return NULL;
}

/* ---- ranks */

/* Where @to is in a row; its end: it is not. */
static uint64_t find_target(const struct flow *flow, uint32_t from, uint32_t to)
{
	uint64_t lo = flow->first[from], end = flow->first[from + 1ull];
	const uint32_t *row = &flow->to[lo];

	lo += partition_point(end - lo, mid, row[mid] < to);
	return lo < end && flow->to[lo] == to ? lo : end;
}

static struct kml_error *find_answered(void *arg, unsigned thread,
				       uint64_t chunk)
{
	struct build *b = arg;
	const struct flow *flow = b->flow;
	uint32_t node = (uint32_t)(chunk * CHUNK_NODES);
	uint32_t end = (uint32_t)MIN((chunk + 1) * CHUNK_NODES,
				     b->live->n_objects);
	uint64_t i;

	(void)thread;
	for (; node < end; node++) {
		for (i = flow->first[node]; i < flow->first[node + 1ull]; i++) {
			uint32_t to = flow->to[i];

			if (find_target(flow, to, node) != flow->first[to + 1ull])
				bitmap_set_atomic(b->answered, i);
		}
	}
	return NULL;
}

/* Of holders it is known by their words, several of which may have had the
 * same target. */
static void take_answered(struct build *b)
{
	size_t i;

	for (i = 0; i < b->holders->edges.size; i++) {
		const struct anchor_edge *edge = &b->holders->edges.data[i];
		uint32_t node = live_anchor(b->live, edge->holder);
		uint64_t at;

		if (!edge->answered || !is_node(b, edge->to))
			continue;
		at = find_target(b->flow, node, edge->to);
		if (at != b->flow->first[node + 1ull])
			bitmap_set(b->answered, at);
	}
}

static unsigned edge_rank(const struct build *b, uint32_t from, uint64_t edge)
{
	if (bitmap_test(b->lookup, edge))
		return RANK_IRREGULAR;
	if (bitmap_test(b->answered, edge))
		return 0;
	if (from < b->live->n_objects)
		return bitmap_test(b->irregular, edge) ? RANK_IRREGULAR :
							 RANK_REGULAR;
	return anchor_ranks[b->holders->list.data[from - b->live->n_objects].kind];
}

/* @node can be reached with references of @rank: look at it in time, unless
 * that is known already. */
static void enqueue(struct build *b, uint32_t node, unsigned rank)
{
	if (b->rank[node] <= rank)
		return;
	b->rank[node] = (uint8_t)rank;
	b->queue[rank][b->n_queue[rank]++] = node;
}

/* It needs no holder. */
static struct kml_error *hold(struct build *b, uint32_t id, unsigned rank)
{
	enqueue(b, id, rank);
	return vec_push(&b->kept, id) ? NULL : error_nomem();
}

static void follow(struct build *b, uint32_t node, unsigned rank)
{
	const struct flow *flow = b->flow;
	uint64_t i;

	for (i = flow->first[node]; i < flow->first[node + 1ull]; i++)
		enqueue(b, flow->to[i], MAX(rank, edge_rank(b, node, i)));
}

static void drain(struct build *b, unsigned rank)
{
	while (b->n_queue[rank]) {
		uint32_t node = b->queue[rank][--b->n_queue[rank]];

		/* It may have been reached by better means since. */
		if (b->rank[node] == rank)
			follow(b, node, rank);
	}
}

/* Modules' memory and the like: live by itself. */
static struct kml_error *hold_live(struct build *b)
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
static uint64_t *find_referred(const struct build *b)
{
	uint64_t *referred = bitmap_alloc(b->live->n_objects);
	uint32_t id;
	uint64_t i;

	for (id = 0; referred && id < b->live->n_objects; id++) {
		if (b->rank[id] != RANK_NONE)
			continue;
		for (i = b->flow->first[id]; i < b->flow->first[id + 1ull]; i++)
			bitmap_set(referred, b->flow->to[i]);
	}
	return referred;
}

/*
 * What is left is live by a rule, or in doubt, and what only those hold: first
 * those that no other one of them refers to, then the first one of each cycle.
 */
static struct kml_error *hold_rest(struct build *b)
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

static struct kml_error *find_ranks(struct build *b)
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
static void cut_rows(struct build *b)
{
	struct flow *flow = b->flow;
	uint64_t i, start = 0, end, to = 0;
	uint32_t node;

	for (node = 0; node < flow->root; node++) {
		end = flow->first[node + 1ull];
		flow->first[node] = to;
		for (i = start; i < end; i++) {
			if (edge_rank(b, node, i) <= b->rank[flow->to[i]])
				flow->to[to++] = flow->to[i];
		}
		start = end;
	}
	b->live->n_edges = start;
	b->live->n_left_out = start - to;
	flow->first[flow->root] = to;
}

/* The root's row, which is the last: holders, and what needs none. */
static struct kml_error *add_root_row(struct build *b)
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

static struct kml_error *rank_and_cut(struct build *b)
{
	uint64_t n_edges = b->flow->first[b->flow->root], i;
	uint64_t chunks = (b->live->n_objects + (CHUNK_NODES - 1ull)) /
			  CHUNK_NODES;
	struct kml_error *error;
	unsigned rank;

	b->answered = bitmap_alloc(n_edges);
	b->rank = malloc(b->flow->n_nodes);
	for (rank = 0; rank < LIVE_RANKS; rank++) {
		b->queue[rank] = malloc(b->flow->n_nodes *
					sizeof(*b->queue[rank]));
		if (!b->queue[rank])
			return error_nomem();
	}
	if (!b->answered || !b->rank)
		return error_nomem();
	error = pool_run(MAX(b->kernel->n_threads, 1), chunks, find_answered, b);
	take_answered(b);
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
	struct build b = {
		.kernel = kernel, .graph = graph, .holders = holders,
		.live = &live, .flow = flow,
	};
	struct kml_error *error;
	unsigned rank;

	memset(flow, 0, sizeof(*flow));
	if ((uint64_t)live.n_objects + live.n_holders >= TARGET_MASK)
		return error_new(KML_ERR_UNSUPPORTED, "too many objects");
	error = mark_nodes(&b, reached);
	if (!error)
		error = regular_find(kernel, graph, live.nodes, &b.regular);
	if (!error)
		error = fill_rows(&b);
	if (!error)
		error = rank_and_cut(&b);
	regular_deinit(&b.regular);
	free(b.irregular);
	free(b.lookup);
	free(b.split);
	free(b.answered);
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
