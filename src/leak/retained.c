// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/retained.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"

uint64_t retained_own_bytes(const struct heap *heap, uint32_t id)
{
	unsigned kind = heap_region_of(heap, id)->kind;

	return kind == HEAP_IOREMAP || kind == HEAP_VMAP ?
		       0 :
		       heap_object_bytes(heap, id);
}

/* From the leaves up: a dominator stands in front of what it dominates. */
static struct kml_error *add_up(const struct heap *heap, struct retained *r)
{
	uint32_t n = r->tree.n_nodes, i;

	r->objects = huge_calloc(n, sizeof(*r->objects));
	r->bytes = huge_calloc(n, sizeof(*r->bytes));
	if (!r->objects || !r->bytes)
		return error_nomem();
	for (i = r->tree.n_reached - 1; i > 0; i--) {
		uint32_t node = r->tree.order[i], up = r->tree.idom[node];

		if (retained_is_object(r, node) && retained_counts(heap, node)) {
			r->objects[node]++;
			r->bytes[node] += retained_own_bytes(heap, node);
		}
		r->objects[up] += r->objects[node];
		r->bytes[up] += r->bytes[node];
	}
	return NULL;
}

static int compare_children(const void *a, const void *b, void *arg)
{
	const struct retained *r = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (r->bytes[x] != r->bytes[y])
		return r->bytes[x] > r->bytes[y] ? -1 : 1;
	if (r->objects[x] != r->objects[y])
		return r->objects[x] > r->objects[y] ? -1 : 1;
	return (x > y) - (x < y);
}

static struct kml_error *find_children(struct retained *r)
{
	uint32_t n = r->tree.n_nodes, node, i;
	uint64_t *first = huge_calloc(n + 2ull, sizeof(*first));

	r->first_child = first;
	r->children = huge_malloc(r->tree.n_reached, sizeof(*r->children));
	if (!first || !r->children)
		return error_nomem();
	for (i = 1; i < r->tree.n_reached; i++)
		first[r->tree.idom[r->tree.order[i]] + 2ull]++;
	for (node = 0; node < n; node++)
		first[node + 2ull] += first[node + 1ull];
	for (i = 1; i < r->tree.n_reached; i++) {
		node = r->tree.order[i];
		r->children[first[r->tree.idom[node] + 1ull]++] = node;
	}
	for (node = 0; node < n; node++) {
		uint64_t n_children = first[node + 1ull] - first[node];

		if (n_children > 1)
			qsort_r(r->children + first[node], n_children,
				sizeof(*r->children), compare_children, r);
	}
	return NULL;
}

struct kml_error *retained_find(struct kernel *kernel,
				const struct graph *graph,
				const uint64_t *reached, struct retained *ret)
{
	struct retained r = { .objects = NULL };
	struct flow flow = { 0 };
	struct kml_error *error;

	error = anchors_find(kernel, graph, &r.holders);
	if (!error)
		error = live_build(kernel, graph, reached, &r.holders, &r.live,
				   &flow);
	if (!error)
		error = dominators_find(&flow, &r.tree);
	if (!error)
		error = add_up(kernel->heap, &r);
	if (!error)
		error = find_children(&r);
	if (error)
		retained_deinit(&r);
	else
		*ret = r;
	return error;
}

void retained_deinit(struct retained *retained)
{
	anchors_deinit(&retained->holders);
	live_deinit(&retained->live);
	dominators_deinit(&retained->tree);
	free(retained->objects);
	free(retained->bytes);
	free(retained->first_child);
	free(retained->children);
	memset(retained, 0, sizeof(*retained));
}
