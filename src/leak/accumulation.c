// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/accumulation.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "leak/units.h"

/* One child explains what a node retains: it has four fifths of it. */
#define EXPLAINS(child_bytes, bytes) ((child_bytes) / 4 >= (bytes) / 5)
/* A unit of a holder that has a tenth of it is a point of its own, and so is
 * a shared object with a hundredth of all. */
#define IS_OWN_UNIT(unit_bytes, bytes) ((unit_bytes) >= (bytes) / 10)
#define IS_OWN_OBJECT(object_bytes, all_bytes) \
	((object_bytes) >= (all_bytes) / 100)
/* So many of one kind after the other are a list. */
#define MIN_CHAIN 4u
/* Children looked at for the next one of a list: others are its payload. */
#define MAX_PAYLOADS 8u
/* A list's members may be so far apart. */
#define MAX_BETWEEN 3u
#define NO_POINT UINT32_MAX
/* Counts of what points retain, by cache, while they are counted. */
#define MAX_FAMILIES ((size_t)1 << 22)

struct find {
	const struct kernel *kernel;
	const struct graph *graph;
	const struct retained *r;
	struct units units;
	struct accumulations *found;
	uint64_t *sum;     /* by node: bytes of the unit that it stands for */
	uint64_t *split;   /* a bit per object: of retained.holders.split */
	uint32_t *unit_point; /* by what stands for a unit: its point */
	uint32_t *point;   /* by node: the point that it is part of; first of
			      the children of holders and of the root alone */
};

static uint32_t root_of(const struct find *find)
{
	return live_root(&find->r->live);
}

static uint64_t n_children(const struct find *find, uint32_t node)
{
	return find->r->first_child[node + 1ull] - find->r->first_child[node];
}

/* The one that retains most; @node itself: it has none. */
static uint32_t first_child(const struct find *find, uint32_t node)
{
	return n_children(find, node) ?
		       find->r->children[find->r->first_child[node]] :
		       node;
}

/* ---- where points are */

static struct accumulation *add_point(struct find *find,
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
static void add_child(struct find *find, uint32_t index, uint32_t child)
{
	struct accumulation *point = &find->found->points.data[index];

	find->point[child] = index;
	point->objects += find->r->objects[child];
	point->bytes += find->r->bytes[child];
	point->n_children++;
}

static void sum_units(struct find *find, uint32_t node, bool clear)
{
	const struct retained *r = find->r;
	uint64_t i;

	for (i = r->first_child[node]; i < r->first_child[node + 1ull]; i++) {
		uint32_t unit = units_of(&find->units, r->children[i]);

		find->sum[unit] = clear ? 0 :
					  find->sum[unit] +
						  r->bytes[r->children[i]];
	}
}

/* The points of one holder: of its large units, and of the rest. */
static struct kml_error *split_holder(struct find *find, uint32_t holder)
{
	const struct retained *r = find->r;
	uint32_t rest = NO_POINT;
	uint64_t i;

	sum_units(find, holder, false);
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
	sum_units(find, holder, true);
	return NULL;
}

/* Of objects that are live by themselves, but no module's memory: records of
 * kmemleak.  They need no holder, and are one point. */
static bool is_self_held(const struct find *find, uint32_t id)
{
	return heap_region_of(find->kernel->heap, id)->flags & HEAP_ROOT &&
	       !bitmap_test(find->split, id);
}

/* Those of objects that several holders lead to. */
static struct kml_error *split_shared(struct find *find)
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

static struct kml_error *find_points(struct find *find)
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

/* Of each there is a count by cache: a dump may claim to have any number of
 * these. */
static size_t max_points(const struct find *find)
{
	size_t n_slots = find->kernel->caches.size + HEAP_KINDS;

	return MIN(ACCUMULATIONS_MAX, MAX(MAX_FAMILIES / n_slots, 16));
}

/* Sort the points, and forget the smallest.  @new_index: of each old one. */
static struct kml_error *keep_largest(struct find *find, uint32_t *new_index)
{
	struct accumulations *found = find->found;
	size_t n = found->points.size, max = max_points(find), i;
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
static struct kml_error *assign_points(struct find *find)
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

/* ---- the way down */

/* Of the same cache or kind, and size. */
static bool is_alike(const struct find *find, uint32_t a, uint32_t b)
{
	const struct heap *heap = find->kernel->heap;
	const struct heap_region *x, *y;

	if (!retained_is_object(find->r, a) || !retained_is_object(find->r, b))
		return false;
	x = heap_region_of(heap, a);
	y = heap_region_of(heap, b);
	return x->kind == y->kind && x->object_bytes == y->object_bytes &&
	       (x->kind != HEAP_SLAB || x->owner == y->owner);
}

/* What is like @node among its children, or below those that retain most;
 * @node itself: nothing is. */
static uint32_t next_alike(const struct find *find, uint32_t node)
{
	uint32_t at = node;
	unsigned depth;

	for (depth = 0; depth < MAX_BETWEEN; depth++) {
		uint64_t i = find->r->first_child[at];
		uint64_t end = find->r->first_child[at + 1ull];

		for (end = MIN(end, i + MAX_PAYLOADS); i < end; i++) {
			if (is_alike(find, node, find->r->children[i]))
				return find->r->children[i];
		}
		at = first_child(find, at);
	}
	return node;
}

/* How many stand in a row from @node on; *@last: the last of them.  The first
 * ones retain nearly all that their predecessors do, or it is a tree. */
static uint64_t chain_length(const struct find *find, uint32_t node,
			     uint32_t *last)
{
	uint64_t n = 1;
	uint32_t next;

	for (*last = node; (next = next_alike(find, *last)) != *last;
	     *last = next) {
		if (++n <= MIN_CHAIN && find->r->bytes[next] <
						find->r->bytes[*last] / 4 * 3)
			return 1;
	}
	return n;
}

/* The word of @from that leads to @to, or to @to's unit; the first one. */
static uint64_t find_word(struct find *find, uint32_t from, uint32_t to,
			  bool unit)
{
	const struct retained *r = find->r;
	const struct holders *h = &r->holders;
	uint64_t found = HOLDER_NO_OFFSET, i, offset;
	uint32_t target = unit ? units_of(&find->units, to) : to;
	uint32_t holder = from - r->live.n_objects;

	if (!retained_is_object(r, from)) {
		for (i = h->list.data[holder].first_edge;
		     i < holder_edges_end(h, holder); i++) {
			uint32_t at = h->edges.data[i].to;

			if (r->tree.idom[at] == from &&
			    (unit ? units_of(&find->units, at) : at) == target)
				found = MIN(found, h->edges.data[i].offset);
		}
		return found;
	}
	for (i = find->graph->first[from]; i < find->graph->first[from + 1ull];
	     i++) {
		const struct graph_edge *edge = &find->graph->edges[i];

		if (r->tree.idom[edge->to] != from ||
		    (unit ? units_of(&find->units, edge->to) : edge->to) !=
			    target ||
		    graph_edge_word(edge) == GRAPH_WORD_NONE)
			continue;
		offset = graph_word_offset(find->graph, find->kernel, from,
					   graph_edge_word(edge));
		found = MIN(found, offset);
	}
	return found;
}

static void add_step(struct accumulation *point, uint32_t node, uint64_t offset)
{
	const struct accumulation_word step = { node, offset };

	if (point->n_steps == ACCUMULATION_STEPS) {
		point->n_omitted++;
		point->n_steps--;
	}
	point->steps[point->n_steps++] = step;
}

/* The unit of @node's children that explains it, by a child of it; @node: none
 * does. */
static uint32_t main_unit(struct find *find, uint32_t node)
{
	const struct retained *r = find->r;
	uint32_t best = node;
	uint64_t i, most = 0;

	sum_units(find, node, false);
	for (i = r->first_child[node]; i < r->first_child[node + 1ull]; i++) {
		uint64_t sum = find->sum[units_of(&find->units,
						  r->children[i])];

		if (sum > most) {
			most = sum;
			best = r->children[i];
		}
	}
	sum_units(find, node, true);
	return EXPLAINS(most, r->bytes[node]) ? best : node;
}

static void last_step(struct find *find, struct accumulation *point,
		      uint32_t node)
{
	uint32_t to = point->n_chain ? first_child(find, node) :
				       main_unit(find, node);

	add_step(point, node,
		 to == node ? HOLDER_NO_OFFSET :
			      find_word(find, node, to, !point->n_chain));
}

/* Is it a list that starts at @node, and does it matter more than what it ends
 * with?  *@last: its last member. */
static bool is_list(const struct find *find, const struct accumulation *point,
		    uint32_t node, uint64_t *length, uint32_t *last)
{
	uint32_t end;

	*length = chain_length(find, node, last);
	if (*length < MIN_CHAIN)
		return false;
	end = first_child(find, *last);
	return end == *last || !EXPLAINS(find->r->bytes[end], point->bytes);
}

/*
 * So many steps are a list as well, if of nothing in particular: its first
 * object stands for it.
 */
static void fold_steps(const struct find *find, struct accumulation *point,
		       uint32_t node)
{
	bool held = point->steps[0].node != node;
	uint32_t child;

	point->n_steps = held;
	point->n_omitted = 0;
	point->n_chain = 1;
	for (; (child = first_child(find, node)) != node; node = child)
		point->n_chain++;
	point->n_children = point->n_chain;
}

/* From @node on, as long as one child explains it. */
static void descend(struct find *find, struct accumulation *point,
		    uint32_t node)
{
	uint32_t last, first = node, n_steps = 0;
	uint64_t chain;

	for (;;) {
		uint32_t child = first_child(find, node);

		point->n_children = n_children(find, node);
		if (is_list(find, point, node, &chain, &last)) {
			point->n_chain = point->n_children = chain;
			break;
		}
		if (chain >= MIN_CHAIN) {
			/* All of it at once: it may be long. */
			n_steps += MIN_CHAIN;
			add_step(point, node, HOLDER_NO_OFFSET);
			point->n_omitted += (uint32_t)MIN(chain - 2, 1u << 30);
			node = last;
			child = first_child(find, node);
		}
		if (child == node ||
		    !EXPLAINS(find->r->bytes[child], point->bytes))
			break;
		if (++n_steps > ACCUMULATION_STEPS) {
			fold_steps(find, point, first);
			node = first;
			break;
		}
		add_step(point, node, find_word(find, node, child, false));
		node = child;
	}
	last_step(find, point, node);
}

/* A child of a point that stands below a holder: the one that retains most.
 * *@single: all of them are of one unit. */
static uint32_t point_child(struct find *find, uint32_t index, bool *single)
{
	const struct retained *r = find->r;
	uint32_t node = find->found->points.data[index].node, found = node;
	uint64_t i;

	*single = true;
	for (i = r->first_child[node]; i < r->first_child[node + 1ull]; i++) {
		uint32_t child = r->children[i];

		if (find->point[child] != index)
			continue;
		if (found == node)
			found = child;
		else if (units_of(&find->units, child) !=
			 units_of(&find->units, found))
			*single = false;
	}
	return found;
}

static void find_steps(struct find *find, uint32_t index)
{
	struct accumulation *point = &find->found->points.data[index];
	uint32_t child;
	bool single;

	if (point->kind == ACCUMULATION_SHARED)
		return;
	if (point->kind == ACCUMULATION_OBJECT) {
		descend(find, point, point->node);
		return;
	}
	child = point_child(find, index, &single);
	if (EXPLAINS(find->r->bytes[child], point->bytes)) {
		add_step(point, point->node,
			 find_word(find, point->node, child, false));
		descend(find, point, child);
	} else {
		add_step(point, point->node,
			 single ? find_word(find, point->node, child, true) :
				  HOLDER_NO_OFFSET);
	}
}

/* ---- what else is known of them */

/* A reference from outside of a point, other than the holder's. */
static void note_reference(struct find *find, uint32_t from, uint32_t to,
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
static void note_holders(struct find *find, bool variables)
{
	const struct retained *r = find->r;
	uint64_t i;

	for (i = 0; i < r->holders.edges.size; i++) {
		const struct holder_edge *edge = &r->holders.edges.data[i];
		unsigned kind = r->holders.list.data[edge->holder].kind;

		if (r->tree.idom[edge->to] != DOMINATORS_NONE &&
		    variables == (kind == HOLDER_VARIABLE ||
				  kind == HOLDER_PERCPU))
			note_reference(find, live_holder(&r->live, edge->holder),
				       edge->to, edge->offset);
	}
}

/* Variables first, then objects: they are the better examples. */
static void find_outside(struct find *find)
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

			if (r->tree.idom[edge->to] == DOMINATORS_NONE)
				continue;
			note_reference(find, node, edge->to,
				       word == GRAPH_WORD_NONE ?
					       HOLDER_NO_OFFSET :
					       word * 8ull);
		}
	}
	note_holders(find, false);
}

static int compare_families(const void *a, const void *b)
{
	const struct accumulation_family *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->objects != y->objects)
		return x->objects > y->objects ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->cache > y->cache) - (x->cache < y->cache);
}

/* The rows of one point that are not empty. */
static struct kml_error *fold_families(struct find *find,
				       struct accumulation *point,
				       struct accumulation_family *all,
				       size_t n)
{
	size_t i;

	qsort(all, n, sizeof(*all), compare_families);
	point->first_family = (uint32_t)find->found->families.size;
	for (i = 0; i < n; i++) {
		if (!all[i].objects)
			continue;
		if (!vec_push(&find->found->families, all[i]))
			return error_nomem();
		point->n_families++;
	}
	return NULL;
}

static struct kml_error *find_families(struct find *find)
{
	size_t n_caches = find->kernel->caches.size;
	/* A slot for each cache, then one for each other kind. */
	size_t n_slots = n_caches + HEAP_KINDS, i, j;
	size_t n = find->found->points.size;
	struct accumulation_family *all = calloc(n * n_slots + 1, sizeof(*all));
	const struct heap *heap = find->kernel->heap;
	struct kml_error *error = NULL;
	uint32_t id;

	if (!all)
		return error_nomem();
	for (i = 0; i < n; i++) {
		for (j = 0; j < n_slots; j++) {
			all[i * n_slots + j].kind = (uint8_t)(
				j < n_caches ? HEAP_SLAB : j - n_caches);
			all[i * n_slots + j].cache =
				j < n_caches ? (uint32_t)j : HEAP_NONE;
		}
	}
	for (id = 0; id < find->r->live.n_objects; id++) {
		const struct heap_region *r;
		struct accumulation_family *family;

		if (find->point[id] == NO_POINT || !retained_counts(heap, id))
			continue;
		r = heap_region_of(heap, id);
		family = &all[find->point[id] * n_slots +
			      (r->kind == HEAP_SLAB ? r->owner :
						      n_caches + r->kind)];
		family->objects++;
		family->bytes += retained_own_bytes(heap, id);
	}
	for (i = 0; !error && i < n; i++)
		error = fold_families(find, &find->found->points.data[i],
				      all + i * n_slots, n_slots);
	free(all);
	return error;
}

static struct kml_error *find_all(struct find *find)
{
	uint64_t n = find->r->tree.n_nodes;
	struct kml_error *error;
	uint32_t i;
	size_t k;

	error = units_find(find->graph, find->r, &find->units);
	if (error)
		return error;
	find->sum = calloc(n, sizeof(*find->sum));
	find->point = malloc(n * sizeof(*find->point));
	find->unit_point = malloc(n * sizeof(*find->unit_point));
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
		find_steps(find, i);
	find_outside(find);
	return find_families(find);
}

struct kml_error *accumulations_find(const struct kernel *kernel,
				     const struct graph *graph,
				     const struct retained *retained,
				     struct accumulations *ret)
{
	struct accumulations found = { .n_omitted = 0 };
	struct find find = {
		.kernel = kernel, .graph = graph, .r = retained, .found = &found,
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
