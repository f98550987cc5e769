// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/accumulation_steps.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"
#include "graph/overrides.h"

/* Memory is asked for so many references ahead. */
#define AHEAD 16u
/* A unit of a holder that has a tenth of it is a point of its own, and so is
 * a shared object with a hundredth of all. */
#define IS_OWN_UNIT(unit_bytes, bytes) ((unit_bytes) >= (bytes) / 10)
#define IS_OWN_OBJECT(object_bytes, all_bytes) \
	((object_bytes) >= (all_bytes) / 100)

static uint32_t root_of(const struct points *find)
{
	return live_root(&find->r->live);
}

/* ---- where points are */

static struct accumulation *add_point(struct points *find,
				      enum accumulation_kind kind,
				      uint32_t node)
{
	struct accumulation *point = vec_add(&find->found->points);

	if (point) {
		point->kind = (uint8_t)kind;
		point->node = node;
	}
	return point;
}

/* A child is part of the last point. */
static void add_child(struct points *find, uint32_t index, uint32_t child)
{
	struct accumulation *point = &find->found->points.data[index];

	find->point[child] = index;
	point->objects += find->r->objects[child];
	point->bytes += find->r->bytes[child];
	point->n_children++;
}

/* The points of one holder: of its large units, and of the rest. */
static struct kml_error *split_holder(struct points *find, uint32_t holder)
{
	const struct retained *r = find->r;
	uint32_t rest = NO_POINT;
	uint64_t i;

	accumulation_sum_units(find, holder, false);
	for (i = r->first_child[holder]; i < r->first_child[holder + 1ull];
	     i++) {
		uint32_t child = r->children[i];
		uint32_t unit = units_of(&find->units, child), *index;

		index = IS_OWN_UNIT(find->sum[unit], r->bytes[holder]) ?
				&find->unit_point[unit] :
				&rest;
		if (*index == NO_POINT) {
			*index = (uint32_t)find->found->points.size;
			if (!add_point(find, ACCUMULATION_HELD, holder))
				return error_nomem();
		}
		add_child(find, *index, child);
	}
	accumulation_sum_units(find, holder, true);
	return NULL;
}

/* Of objects that are live by themselves, but no module's memory: records of
 * kmemleak.  They need no holder, and are one point. */
static bool is_self_held(const struct points *find, uint32_t id)
{
	return heap_region_of(find->kernel->heap, id)->flags & HEAP_ROOT &&
	       !bitmap_test(find->split, id);
}

/* Those of objects that several holders lead to. */
static struct kml_error *split_shared(struct points *find)
{
	const struct retained *r = find->r;
	uint32_t root = root_of(find), self_held = NO_POINT;
	uint64_t i;

	for (i = r->first_child[root]; i < r->first_child[root + 1ull]; i++) {
		uint32_t child = r->children[i];
		uint32_t unit = units_of(&find->units, child);
		uint32_t own = NO_POINT, *index = &find->unit_point[unit];
		enum accumulation_kind kind = ACCUMULATION_SHARED;

		if (!retained_is_object(r, child))
			continue;
		if (is_self_held(find, child)) {
			index = &self_held;
		} else if (IS_OWN_OBJECT(r->bytes[child], r->bytes[root])) {
			kind = ACCUMULATION_OBJECT;
			index = &own;
		}
		if (*index == NO_POINT) {
			*index = (uint32_t)find->found->points.size;
			if (!add_point(find, kind, child))
				return error_nomem();
		}
		add_child(find, *index, child);
	}
	return NULL;
}

static struct kml_error *find_points(struct points *find)
{
	const struct retained *r = find->r;
	uint32_t root = root_of(find), i;
	struct kml_error *error;

	/* Children of a holder and of the root are no one else's, and what
	 * stands for their unit is one of them. */
	for (i = 0; i < r->tree.n_nodes; i++)
		find->point[i] = find->unit_point[i] = NO_POINT;
	error = split_shared(find);
	for (i = r->live.n_objects; !error && i < root; i++)
		error = split_holder(find, i);
	return error;
}

/* ---- which are kept */

struct rank {
	uint64_t bytes, objects;
	uint32_t index;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->objects != y->objects)
		return x->objects > y->objects ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Sort the points, and forget the smallest.  @new_index: of each old one. */
static struct kml_error *keep_largest(struct points *find, uint32_t *new_index)
{
	struct accumulations *found = find->found;
	size_t n = found->points.size, max = ACCUMULATIONS_MAX, i;
	_cleanup_free_ struct rank *ranks = calloc(n + 1, sizeof(*ranks));
	struct accumulation *points = calloc(n + 1, sizeof(*points));

	if (!ranks || !points) {
		free(points);
		return error_nomem();
	}
	for (i = 0; i < n; i++)
		ranks[i] = (struct rank){ found->points.data[i].bytes,
					  found->points.data[i].objects,
					  (uint32_t)i };
	qsort(ranks, n, sizeof(*ranks), compare_ranks);
	for (i = 0; i < n; i++) {
		points[i] = found->points.data[ranks[i].index];
		new_index[ranks[i].index] =
			i < max ? (uint32_t)i : NO_POINT;
		if (i < max)
			continue;
		found->n_omitted++;
		found->omitted_objects += ranks[i].objects;
		found->omitted_bytes += ranks[i].bytes;
	}
	vec_deinit(&found->points);
	found->points.data = points;
	found->points.capacity = n + 1;
	found->points.size = MIN(n, max);
	return NULL;
}

/* From the children to all that they dominate. */
static struct kml_error *assign_points(struct points *find)
{
	const struct retained *r = find->r;
	uint32_t root = root_of(find), i;
	_cleanup_free_ uint32_t *new_index =
		calloc(find->found->points.size + 1, sizeof(*new_index));
	struct kml_error *error;

	if (!new_index)
		return error_nomem();
	error = keep_largest(find, new_index);
	if (error)
		return error;
	for (i = 1; i < r->tree.n_reached; i++) {
		uint32_t node = r->tree.order[i], up = r->tree.idom[node];

		if (up != root && retained_is_object(r, up))
			find->point[node] = find->point[up];
		else if (retained_is_object(r, node))
			find->point[node] = new_index[find->point[node]];
		else
			find->point[node] = NO_POINT;
	}
	return NULL;
}

/* ---- what else is known of them */

/* A reference from outside of a point, other than the holder's. */
static void note_reference(struct points *find, uint32_t from, uint32_t to,
			   uint64_t offset)
{
	struct accumulation *point;
	uint32_t index = find->point[to], i;

	if (index == NO_POINT || from == find->r->tree.idom[to] ||
	    (retained_is_object(find->r, from) && find->point[from] == index))
		return;
	point = &find->found->points.data[index];
	point->n_outside++;
	if (point->kind == ACCUMULATION_HELD ||
	    point->n_ways == ACCUMULATION_WAYS)
		return;
	for (i = 0; i < point->n_ways; i++) {
		if (point->ways[i].node == from)
			return;
	}
	point->ways[point->n_ways++] = (struct accumulation_word){ from, offset };
}

/* References of variables, or of all other holders. */
static void note_holders(struct points *find, bool variables)
{
	const struct retained *r = find->r;
	uint64_t i;

	for (i = 0; i < r->holders.edges.size; i++) {
		const struct anchor_edge *edge = &r->holders.edges.data[i];
		unsigned kind = r->holders.list.data[edge->holder].kind;

		if (r->tree.idom[edge->to] != DOMINATORS_NONE &&
		    variables == (kind == ANCHOR_VARIABLE ||
				  kind == ANCHOR_PERCPU))
			note_reference(find, live_anchor(&r->live, edge->holder),
				       edge->to, edge->offset);
	}
}

/* Variables first, then objects: they are the better examples. */
static void find_outside(struct points *find)
{
	const struct retained *r = find->r;
	const struct graph *graph = find->graph;
	uint64_t i;
	uint32_t node;

	note_holders(find, true);
	for (node = 0; node < r->live.n_objects; node++) {
		if (r->tree.idom[node] == DOMINATORS_NONE ||
		    bitmap_test(find->split, node))
			continue;
		for (i = graph->first[node]; i < graph->first[node + 1ull];
		     i++) {
			const struct graph_edge *edge = &graph->edges[i];
			uint32_t word = graph_edge_word(edge);

			if (i + AHEAD < graph->n_edges) {
				__builtin_prefetch(
					&r->tree.idom[edge[AHEAD].to]);
				__builtin_prefetch(&find->point[edge[AHEAD].to]);
			}
			if (r->tree.idom[edge->to] == DOMINATORS_NONE)
				continue;
			note_reference(find, node, edge->to,
				       word == GRAPH_WORD_NONE ?
					       ANCHOR_NO_OFFSET :
					       word * 8ull);
		}
	}
	note_holders(find, false);
}

static struct kml_error *find_all(struct points *find)
{
	uint64_t n = find->r->tree.n_nodes;
	struct kml_error *error;
	uint32_t i;
	size_t k;

	error = units_find(find->graph, find->r, &find->units);
	if (error)
		return error;
	find->sum = huge_calloc(n, sizeof(*find->sum));
	find->point = huge_malloc(n, sizeof(*find->point));
	find->unit_point = huge_malloc(n, sizeof(*find->unit_point));
	find->split = bitmap_alloc(find->r->live.n_objects);
	if (!find->sum || !find->point || !find->unit_point || !find->split)
		return error_nomem();
	for (k = 0; k < find->r->holders.split.size; k++)
		bitmap_set(find->split, find->r->holders.split.data[k]);
	error = find_points(find);
	if (!error)
		error = assign_points(find);
	if (error)
		return error;
	for (i = 0; i < find->found->points.size; i++)
		accumulation_find_steps(find, i);
	find_outside(find);
	return accumulation_find_families(find);
}

struct kml_error *accumulations_find(const struct kernel *kernel,
				     const struct graph *graph,
				     const struct retained *retained,
				     const struct infer *infer,
				     struct accumulations *ret)
{
	struct accumulations found = { .n_omitted = 0 };
	struct points find = {
		.kernel = kernel, .graph = graph, .r = retained, .infer = infer,
		.found = &found,
	};
	struct kml_error *error = find_all(&find);

	units_deinit(&find.units);
	free(find.sum);
	free(find.point);
	free(find.unit_point);
	free(find.split);
	if (error)
		accumulations_deinit(&found);
	else
		*ret = found;
	return error;
}

void accumulations_deinit(struct accumulations *accumulations)
{
	vec_deinit(&accumulations->points);
	vec_deinit(&accumulations->families);
}
