// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/blind.h"

#include <stdlib.h>

#include "base/util.h"
#include "base/vec.h"

/* A reference to a free object. */
struct stale {
	uint64_t holder; /* what makes it the same holder as another one */
	uint32_t source, word;
	uint32_t to;
	uint8_t how;
};

struct search {
	const struct kernel *kernel;
	const struct graph *graph;
	uint64_t *seen;
	bool explain;
	struct blind blind;
	VEC(struct stale) stales;
};

/* (Of a slab, as only their objects are ever known to be free.)  A reader may
 * still have what waits for RCU. */
static bool is_free(const struct heap *heap, uint32_t id)
{
	return bitmap_test(heap->free, id) && !bitmap_test(heap->waiting, id);
}

/* Objects of a cache are of one make: the same word of them is one holder. */
static void name_holder(const struct search *search, struct stale *stale)
{
	const struct heap *heap = search->kernel->heap;
	uint32_t root = graph_source_root(search->graph, search->kernel,
					  stale->source);
	uint64_t holder;

	if (stale->source < search->graph->n_objects) {
		const struct heap_region *r =
			heap_region_of(heap, stale->source);

		holder = (uint64_t)r->kind << 48;
		if (r->kind == HEAP_SLAB)
			holder |= r->owner;
		else
			stale->word = BLIND_ANYWHERE;
	} else if (root == UINT32_MAX) {
		holder = UINT64_C(1) << 56;
		stale->word = BLIND_ANYWHERE;
	} else {
		holder = UINT64_C(1) << 57 | root;
		if (search->kernel->roots.data[root].kind == ROOT_STACK ||
		    search->kernel->roots.data[root].kind == ROOT_RESERVED)
			stale->word = BLIND_ANYWHERE;
	}
	stale->holder = holder;
}

static struct kml_error *look_at_source(struct search *search, uint32_t source)
{
	const struct graph *graph = search->graph;
	const struct heap *heap = search->kernel->heap;
	uint64_t i;

	for (i = graph->first[source]; i < graph->first[source + 1]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		struct stale stale = {
			.source = source,
			.word = graph_edge_word(edge),
			.to = edge->to,
			.how = (uint8_t)graph_edge_how(edge),
		};

		if (!is_free(heap, edge->to))
			continue;
		if (!bitmap_test(search->seen, edge->to)) {
			bitmap_set(search->seen, edge->to);
			search->blind.n_referenced++;
		}
		if (!search->explain)
			continue;
		name_holder(search, &stale);
		if (!vec_push(&search->stales, stale))
			return error_nomem();
	}
	return NULL;
}

static struct kml_error *look(struct search *search, const uint64_t *reached)
{
	const struct graph *graph = search->graph;
	const struct heap *heap = search->kernel->heap;
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; i < search->kernel->slabs.size; i++) {
		const struct heap_region *r =
			&heap->regions.data[search->kernel->slabs.data[i].region];
		uint32_t j;

		for (j = 0; j < r->n_objects; j++)
			search->blind.n_free +=
				is_free(heap, r->first_id + j);
	}
	for (i = 0; !error && i < graph->n_sources; i++) {
		if (i >= graph->n_objects ||
		    (bitmap_test(reached, i) && !bitmap_test(heap->free, i)))
			error = look_at_source(search, i);
	}
	return error;
}

/* ---- who holds how many */

static int compare_holder(const struct stale *x, const struct stale *y)
{
	if (x->holder != y->holder)
		return x->holder < y->holder ? -1 : 1;
	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	return (x->how > y->how) - (x->how < y->how);
}

static int compare_by_object(const void *a, const void *b)
{
	const struct stale *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return compare_holder(x, y);
}

static int compare_by_holder(const void *a, const void *b)
{
	const struct stale *x = a, *y = b;
	int order = compare_holder(x, y);

	return order ? order : (x->source > y->source) - (x->source < y->source);
}

static void mark_alone(struct stale *stales, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		stales[i].to = n == 1;
}

/* One for each object and holder; .to becomes whether it is the only one. */
static void fold_objects(struct search *search)
{
	struct stale *stales = search->stales.data;
	size_t n = 0, i, j;

	if (search->stales.size)
		qsort(stales, search->stales.size, sizeof(*stales),
		      compare_by_object);
	for (i = 0; i < search->stales.size; i = j) {
		size_t first = n;
		uint32_t to = stales[i].to;

		for (j = i; j < search->stales.size && stales[j].to == to;
		     j++) {
			if (n == first ||
			    compare_holder(&stales[n - 1], &stales[j]))
				stales[n++] = stales[j];
		}
		mark_alone(stales + first, n - first);
	}
	search->stales.size = n;
}

static int compare_weight(const void *a, const void *b)
{
	const struct blind_holder *x = a, *y = b;

	if (x->n_alone != y->n_alone)
		return x->n_alone > y->n_alone ? -1 : 1;
	if (x->n_free != y->n_free)
		return x->n_free > y->n_free ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

static struct kml_error *fold_holders(struct search *search)
{
	struct stale *stales = search->stales.data;
	struct blind *blind = &search->blind;
	VEC(struct blind_holder) holders = { 0 };
	size_t i;

	fold_objects(search);
	if (search->stales.size)
		qsort(stales, search->stales.size, sizeof(*stales),
		      compare_by_holder);
	for (i = 0; i < search->stales.size; i++) {
		struct blind_holder *holder;

		if (!i || compare_holder(&stales[i - 1], &stales[i])) {
			holder = vec_add(&holders);
			if (!holder) {
				vec_deinit(&holders);
				return error_nomem();
			}
			*holder = (struct blind_holder){
				.source = stales[i].source,
				.word = stales[i].word,
				.how = stales[i].how,
			};
		}
		holder = &holders.data[holders.size - 1];
		holder->n_free++;
		holder->n_alone += stales[i].to;
	}
	if (holders.size)
		qsort(holders.data, holders.size, sizeof(*holders.data),
		      compare_weight);
	blind->holders = holders.data;
	blind->n_holders = (uint32_t)MIN(holders.size, BLIND_HOLDERS_MAX);
	blind->n_omitted = (uint32_t)holders.size - blind->n_holders;
	return NULL;
}

struct kml_error *blind_find(const struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached, bool explain,
			     struct blind *ret)
{
	_cleanup_free_ uint64_t *seen = bitmap_alloc(graph->n_objects);
	struct search search = {
		.kernel = kernel, .graph = graph, .seen = seen,
		.explain = explain,
	};
	struct kml_error *error = seen ? NULL : error_nomem();

	if (!error)
		error = look(&search, reached);
	if (!error && explain)
		error = fold_holders(&search);
	vec_deinit(&search.stales);
	if (error)
		blind_deinit(&search.blind);
	else
		*ret = search.blind;
	return error;
}

void blind_deinit(struct blind *blind)
{
	free(blind->holders);
}
