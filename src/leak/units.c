// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/units.h"

#include <stdlib.h>

#include "base/huge.h"
#include "base/util.h"

/* Memory is asked for so many references ahead. */
#define AHEAD 16u
/* Steps up the tree before it is searched. */
#define MAX_STEPS_UP 4u

struct join {
	const struct graph *graph;
	const struct retained *retained;
	struct units *units;
	uint64_t *split; /* a bit per object: of retained.holders.split */
};

/* Number the tree. */
static struct kml_error *number(const struct retained *r, struct units *units)
{
	uint32_t n = r->tree.n_nodes, i;
	uint64_t c;

	units->start = huge_calloc(n, sizeof(*units->start));
	units->size = huge_calloc(n, sizeof(*units->size));
	if (!units->start || !units->size)
		return error_nomem();
	for (i = r->tree.n_reached; i > 0; i--) {
		uint32_t node = r->tree.order[i - 1];

		units->size[node]++;
		if (i > 1)
			units->size[r->tree.idom[node]] += units->size[node];
	}
	for (i = 0; i < r->tree.n_reached; i++) {
		uint32_t node = r->tree.order[i], at = units->start[node] + 1;

		for (c = r->first_child[node]; c < r->first_child[node + 1ull];
		     c++) {
			units->start[r->children[c]] = at;
			at += units->size[r->children[c]];
		}
	}
	return NULL;
}

/* The child of @top that dominates @node, which it may be itself; @top: none
 * does. */
static uint32_t find_child(const struct join *join, uint32_t top, uint32_t node)
{
	const struct retained *r = join->retained;
	const uint32_t *start = join->units->start, *size = join->units->size;
	const uint32_t *children = &r->children[r->first_child[top]];
	uint64_t n = r->first_child[top + 1ull] - r->first_child[top];
	unsigned steps;
	uint32_t up = node;

	for (steps = 0; steps < MAX_STEPS_UP; steps++) {
		if (r->tree.idom[up] == top)
			return up;
		up = r->tree.idom[up];
	}
	if (start[node] - start[top] >= size[top])
		return top;
	n = partition_point(n, mid, start[children[mid]] <= start[node]);
	return children[n - 1];
}

/* The lower number stands for both. */
static void unite(struct units *units, uint32_t a, uint32_t b)
{
	a = units_of(units, a);
	b = units_of(units, b);
	if (a < b)
		units->set[b] = a;
	else
		units->set[a] = b;
}

static void ask_for(const struct join *join, uint32_t node)
{
	__builtin_prefetch(&join->retained->tree.idom[node]);
	__builtin_prefetch(&join->units->set[node], 1);
}

static void join_row(const struct join *join, uint32_t node)
{
	const struct retained *r = join->retained;
	uint32_t root = live_root(&r->live);
	uint64_t i;

	for (i = join->graph->first[node]; i < join->graph->first[node + 1ull];
	     i++) {
		uint32_t to = join->graph->edges[i].to, top, child;

		if (i + AHEAD < join->graph->n_edges)
			ask_for(join, join->graph->edges[i + AHEAD].to);
		/* Much refers to a module's memory, which holds none of it. */
		if (r->tree.idom[to] == DOMINATORS_NONE ||
		    bitmap_test(join->split, to))
			continue;
		top = r->tree.idom[to];
		if (top == node)
			continue;
		child = find_child(join, top, node);
		if (child == top)
			continue;
		/* A holder is what leads there, not a part of it. */
		if (top != root || retained_is_object(r, child))
			unite(join->units, child, to);
	}
}

static struct kml_error *join_all(struct join *join)
{
	const struct retained *r = join->retained;
	_cleanup_free_ uint64_t *split = bitmap_alloc(r->live.n_objects);
	uint32_t node;
	size_t i;

	if (!split)
		return error_nomem();
	for (i = 0; i < r->holders.split.size; i++)
		bitmap_set(split, r->holders.split.data[i]);
	join->split = split;
	for (node = 0; node < r->live.n_objects; node++) {
		if (r->tree.idom[node] != DOMINATORS_NONE &&
		    !bitmap_test(split, node))
			join_row(join, node);
	}
	return NULL;
}

struct kml_error *units_find(const struct graph *graph,
			     const struct retained *retained, struct units *ret)
{
	struct units units = { 0 };
	struct join join = { graph, retained, &units, NULL };
	struct kml_error *error;
	uint32_t i;

	units.set = huge_malloc(retained->tree.n_nodes, sizeof(*units.set));
	if (!units.set)
		return error_nomem();
	for (i = 0; i < retained->tree.n_nodes; i++)
		units.set[i] = i;
	error = number(retained, &units);
	if (!error)
		error = join_all(&join);
	if (error)
		units_deinit(&units);
	else
		*ret = units;
	return error;
}

void units_deinit(struct units *units)
{
	free(units->set);
	free(units->start);
	free(units->size);
}
