// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/pool.h"
#include "base/util.h"
#include "leak/regular.h"

#define RANK_NONE 0xffu
#define CHUNK_NODES 65536u
/* Of a target, until rows are cut: what sort of word leads there; those that
 * count more come first. */
#define SORT_SHIFT 30
#define TARGET_MASK ((1u << SORT_SHIFT) - 1)
#define SORT_ANSWERED 3u /* the target refers to the source */
/* Memory is asked for so many references ahead. */
#define AHEAD 16u

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

/* Sort a row, each target once; how many are left. */
static uint64_t tidy_row(uint32_t *row, uint64_t n)
{
	uint64_t i, kept = 0;

	sort_row(row, n);
	for (i = 0; i < n; i++) {
		if (!kept || (row[kept - 1] ^ row[i]) & TARGET_MASK)
			row[kept++] = row[i];
	}
	return kept;
}

/* The targets of an object, untidy, at @row. */
static uint64_t object_row(const struct build *b, struct regular_row *regular,
			   uint32_t id, uint32_t *row)
{
	const struct graph *graph = b->graph;
	uint64_t i, n = 0;

	if (!is_node(b, id) || bitmap_test(b->split, id))
		return 0;
	regular_start(regular, id);
	for (i = graph->first[id]; i < graph->first[id + 1ull]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint32_t sort;

		if (b->regular.classes && i + AHEAD < graph->n_edges)
			__builtin_prefetch(&b->regular.classes[edge[AHEAD].to]);
		if (!is_node(b, edge->to))
			continue;
		sort = regular_sort(regular, edge);
		row[n++] = edge->to | sort << SORT_SHIFT;
	}
	regular_end(regular, id);
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

static uint64_t n_chunks(const struct build *b)
{
	return (b->live->n_objects + (CHUNK_NODES - 1ull)) / CHUNK_NODES;
}

static uint32_t chunk_start(uint64_t chunk)
{
	return (uint32_t)(chunk * CHUNK_NODES);
}

static uint32_t chunk_stop(const struct build *b, uint64_t chunk)
{
	return (uint32_t)MIN((chunk + 1) * CHUNK_NODES, b->live->n_objects);
}

/* A chunk's rows begin where they do in the graph, which has more in each. */
static struct kml_error *fill_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct build *b = arg;
	struct flow *flow = b->flow;
	uint32_t node = chunk_start(chunk), end = chunk_stop(b, chunk);
	uint64_t at = b->graph->first[node];

	for (; node < end; node++) {
		uint64_t n = object_row(b, &b->rows[thread], node,
					flow->to + at);

		flow->first[node] = at;
		at += tidy_row(flow->to + at, n);
	}
	b->chunk_end[chunk] = at;
	return NULL;
}

/* One chunk behind the other; where the last one ends. */
static uint64_t close_ranks(struct build *b)
{
	struct flow *flow = b->flow;
	uint64_t chunk, at = 0;

	for (chunk = 0; chunk < n_chunks(b); chunk++) {
		uint32_t node = chunk_start(chunk), end = chunk_stop(b, chunk);
		uint64_t start = flow->first[node];
		uint64_t n = b->chunk_end[chunk] - start;

		memmove(flow->to + at, flow->to + start,
			n * sizeof(*flow->to));
		for (; node < end; node++)
			flow->first[node] -= start - at;
		at += n;
	}
	return at;
}

static struct kml_error *fill_object_rows(struct build *b)
{
	unsigned i;

	b->chunk_end = calloc(n_chunks(b) + 1, sizeof(*b->chunk_end));
	b->rows = calloc(b->n_threads, sizeof(*b->rows));
	if (!b->chunk_end || !b->rows)
		return error_nomem();
	for (i = 0; i < b->n_threads; i++) {
		struct kml_error *error = regular_row_init(&b->rows[i],
							   &b->regular);

		if (error)
			return error;
	}
	return pool_run(b->n_threads, n_chunks(b), fill_chunk, b);
}

/* All rows but the root's, which is not known yet. */
static struct kml_error *fill_rows(struct build *b)
{
	uint64_t max = b->graph->n_edges + b->holders->edges.size, at;
	struct flow *flow = b->flow;
	struct kml_error *error;
	uint32_t i;

	flow->n_nodes = live_root(b->live) + 1;
	flow->root = live_root(b->live);
	flow->first = huge_malloc(flow->n_nodes + 1ull, sizeof(*flow->first));
	flow->to = huge_malloc(max, sizeof(*flow->to));
	if (!flow->first || !flow->to)
		return error_nomem();
	error = fill_object_rows(b);
	if (error)
		return error;
	at = close_ranks(b);
	for (i = 0; i < b->live->n_holders; i++) {
		uint64_t n = holder_row(b, i, flow->to + at);

		flow->first[live_anchor(b->live, i)] = at;
		at += tidy_row(flow->to + at, n);
	}
	flow->first[flow->root] = flow->first[flow->root + 1ull] = at;
	return NULL;
}

/* ---- ranks */

/* (another thread may just say that it is answered) */
static uint32_t target_at(const struct flow *flow, uint64_t i)
{
	return __atomic_load_n(&flow->to[i], __ATOMIC_RELAXED) & TARGET_MASK;
}

/* Where @to is in a row; its end: it is not. */
static uint64_t find_target(const struct flow *flow, uint32_t from, uint32_t to)
{
	uint64_t lo = flow->first[from], end = flow->first[from + 1ull];

	lo += partition_point(end - lo, mid, target_at(flow, lo + mid) < to);
	return lo < end && target_at(flow, lo) == to ? lo : end;
}

static void set_answered(const struct flow *flow, uint64_t i)
{
	if (flow->to[i] >> SORT_SHIFT != WORD_LOOKUP)
		__atomic_store_n(&flow->to[i],
				 flow->to[i] | SORT_ANSWERED << SORT_SHIFT,
				 __ATOMIC_RELAXED);
}

/* The rows of what references further on lead to. */
static void ask_ahead(const struct flow *flow, uint64_t i)
{
	uint64_t end = flow->first[flow->root];

	if (i + 2 * AHEAD < end)
		__builtin_prefetch(&flow->first[target_at(flow, i + 2 * AHEAD)]);
	if (i + AHEAD < end)
		__builtin_prefetch(
			&flow->to[flow->first[target_at(flow, i + AHEAD)]]);
}

static struct kml_error *find_answered(void *arg, unsigned thread,
				       uint64_t chunk)
{
	struct build *b = arg;
	const struct flow *flow = b->flow;
	uint32_t node = chunk_start(chunk), end = chunk_stop(b, chunk);
	uint64_t i;

	(void)thread;
	for (; node < end; node++) {
		for (i = flow->first[node]; i < flow->first[node + 1ull]; i++) {
			uint32_t to = target_at(flow, i);

			ask_ahead(flow, i);
			if (find_target(flow, to, node) != flow->first[to + 1ull])
				set_answered(flow, i);
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
			set_answered(b->flow, at);
	}
}

/* What words of a node count that nothing answers, by sort. */
static const uint8_t *sort_ranks(const struct build *b, uint32_t from,
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
	uint8_t of_holder[4];
	const uint8_t *ranks = sort_ranks(b, node, of_holder);
	uint64_t i;

	for (i = flow->first[node]; i < flow->first[node + 1ull]; i++)
		enqueue(b, flow->to[i] & TARGET_MASK,
			MAX(rank, ranks[flow->to[i] >> SORT_SHIFT]));
}

/* The rows of nodes that come later, and the ranks of what is in them. */
static void ask_for_rows(const struct build *b, const uint32_t *queue,
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

static void drain(struct build *b, unsigned rank)
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
			bitmap_set(referred, b->flow->to[i] & TARGET_MASK);
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
	error = pool_run(b->n_threads, n_chunks(b), find_answered, b);
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
		error = fill_rows(&b);
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
