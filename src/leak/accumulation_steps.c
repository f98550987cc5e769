// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/accumulation_steps.h"

#include "base/util.h"
#include "graph/overrides.h"

/* One child explains what a node retains: it has four fifths of it. */
#define EXPLAINS(child_bytes, bytes) ((child_bytes) / 4 >= (bytes) / 5)
/* So many of one kind after the other are a list. */
#define MIN_CHAIN 4u
/* Children looked at for the next one of a list: others are its payload. */
#define MAX_PAYLOADS 8u
/* A list's members may be so far apart. */
#define MAX_BETWEEN 3u

static uint64_t n_children(const struct points *find, uint32_t node)
{
	return find->r->first_child[node + 1ull] - find->r->first_child[node];
}

/* The one that retains most; @node itself: it has none. */
static uint32_t first_child(const struct points *find, uint32_t node)
{
	return n_children(find, node) ?
		       find->r->children[find->r->first_child[node]] :
		       node;
}

void accumulation_sum_units(struct points *find, uint32_t node, bool clear)
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

/* Of the same cache or kind, and size. */
static bool is_alike(const struct points *find, uint32_t a, uint32_t b)
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
static uint32_t next_alike(const struct points *find, uint32_t node)
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
static uint64_t chain_length(const struct points *find, uint32_t node,
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
static uint64_t find_word(struct points *find, uint32_t from, uint32_t to,
			  bool unit)
{
	const struct retained *r = find->r;
	const struct anchors *h = &r->holders;
	uint64_t found = ANCHOR_NO_OFFSET, i, offset;
	uint32_t target = unit ? units_of(&find->units, to) : to;
	uint32_t holder = from - r->live.n_objects;

	if (!retained_is_object(r, from)) {
		for (i = h->list.data[holder].first_edge;
		     i < anchor_edges_end(h, holder); i++) {
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
static uint32_t main_unit(struct points *find, uint32_t node)
{
	const struct retained *r = find->r;
	uint32_t best = node;
	uint64_t i, most = 0;

	accumulation_sum_units(find, node, false);
	for (i = r->first_child[node]; i < r->first_child[node + 1ull]; i++) {
		uint64_t sum = find->sum[units_of(&find->units,
						  r->children[i])];

		if (sum > most) {
			most = sum;
			best = r->children[i];
		}
	}
	accumulation_sum_units(find, node, true);
	return EXPLAINS(most, r->bytes[node]) ? best : node;
}

static void last_step(struct points *find, struct accumulation *point,
		      uint32_t node)
{
	uint32_t to = point->n_chain ? first_child(find, node) :
				       main_unit(find, node);

	add_step(point, node,
		 to == node ? ANCHOR_NO_OFFSET :
			      find_word(find, node, to, !point->n_chain));
}

/* Is it a list that starts at @node, and does it matter more than what it ends
 * with?  *@last: its last member. */
static bool is_list(const struct points *find, const struct accumulation *point,
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
static void fold_steps(const struct points *find, struct accumulation *point,
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
static void descend(struct points *find, struct accumulation *point,
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
			add_step(point, node, ANCHOR_NO_OFFSET);
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
static uint32_t point_child(struct points *find, uint32_t index, bool *single)
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

void accumulation_find_steps(struct points *find, uint32_t index)
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
				  ANCHOR_NO_OFFSET);
	}
}
