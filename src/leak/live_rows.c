// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of the live graph: the targets of each object and each holder, sorted,
 * each of them once.
 */
#include "leak/live_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/pool.h"

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
static uint64_t object_row(const struct live_build *b,
			   struct regular_row *regular, uint32_t id,
			   uint32_t *row)
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

static uint64_t holder_row(const struct live_build *b, uint32_t holder,
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

/* A chunk's rows begin where they do in the graph, which has more in each. */
static struct kml_error *fill_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct live_build *b = arg;
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
static uint64_t close_ranks(struct live_build *b)
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

static struct kml_error *fill_object_rows(struct live_build *b)
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

struct kml_error *live_fill_rows(struct live_build *b)
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
