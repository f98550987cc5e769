// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct kml_error *overrides_init(struct overrides *overrides,
				 const struct graph *graph)
{
	memset(overrides, 0, sizeof(*overrides));
	overrides->gray = bitmap_alloc(graph->n_objects);
	overrides->counted = bitmap_alloc(graph->n_objects);
	overrides->transient = bitmap_alloc(graph->n_objects);
	overrides->black = bitmap_alloc(graph->n_objects);
	return overrides->gray && overrides->counted && overrides->transient &&
			       overrides->black ? NULL : error_nomem();
}

void overrides_deinit(struct overrides *overrides)
{
	free(overrides->gray);
	free(overrides->counted);
	free(overrides->black);
	free(overrides->transient);
	vec_deinit(&overrides->counts);
	vec_deinit(&overrides->cuts);
}

struct kml_error *overrides_add_count(struct overrides *overrides, uint32_t id,
				      uint32_t need)
{
	const struct override_count count = { id, need };

	bitmap_set(overrides->counted, id);
	return vec_push(&overrides->counts, count) ? NULL : error_nomem();
}

/* Of two rules for an object the later one stands last: qsort() is not stable,
 * so the larger need is taken, whichever it was. */
static int compare_counts(const void *a, const void *b)
{
	const struct override_count *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->need < y->need) - (x->need > y->need);
}

uint32_t overrides_need(const struct overrides *overrides, uint32_t id,
			size_t *index_ret)
{
	size_t lo;

	if (!bitmap_test(overrides->counted, id))
		return 1;
	lo = partition_point(overrides->counts.size, mid,
			     overrides->counts.data[mid].id < id);
	*index_ret = lo;
	return overrides->counts.data[lo].need;
}

static uint64_t source_va(const struct graph *graph,
			  const struct kernel *kernel, uint32_t source)
{
	uint32_t root = graph_source_root(graph, kernel, source);

	if (source < graph->n_objects)
		return heap_object_va(kernel->heap, source);
	return root == UINT32_MAX ? 0 : kernel->roots.data[root].start_va;
}

uint64_t graph_word_offset(const struct graph *graph,
			   const struct kernel *kernel, uint32_t source,
			   uint32_t word)
{
	return (uint64_t)word * 8 + (-source_va(graph, kernel, source) & 7);
}

uint64_t graph_word_va(const struct graph *graph, const struct kernel *kernel,
		       uint32_t source, uint32_t word)
{
	uint64_t va = source_va(graph, kernel, source);

	if (!va || word == GRAPH_WORD_NONE ||
	    (source < graph->n_objects &&
	     heap_region_of(kernel->heap, source)->kind == HEAP_PERCPU))
		return 0;
	return va + graph_word_offset(graph, kernel, source, word);
}

static int compare_cuts(const void *a, const void *b)
{
	const struct override_cut *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->start > y->start) - (x->start < y->start);
}

/* The cut that takes an edge away; NULL: it stays.  @shift: the offset of its
 * source's first word. */
static const struct override_cut *
find_cut(const struct override_cut *cuts, size_t n, uint64_t shift,
	 const struct graph_edge *edge)
{
	const struct override_cut *outside = NULL;
	bool in_area = false, logic = graph_edge_word(edge) == GRAPH_WORD_NONE;
	uint64_t offset = (uint64_t)graph_edge_word(edge) * 8 + shift;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct override_cut *cut = &cuts[i];

		if (logic) {
			if (cut->logic)
				return cut;
		} else if (cut->keep) {
			outside = cut;
			/* As kmemleak: only words that lie in it whole. */
			in_area |= offset >= cut->start && offset + 8 <= cut->end;
		} else if (offset + 8 > cut->start && offset < cut->end) {
			return cut;
		}
	}
	return in_area ? NULL : outside;
}

struct kml_error *overrides_apply(struct overrides *overrides,
				  const struct kernel *kernel,
				  struct graph *graph,
				  void (*dropped)(void *arg, uint32_t rule),
				  void *arg)
{
	const struct override_cut *cut, *end;
	uint64_t i, from = 0, to = 0;
	uint32_t source;

	if (overrides->counts.size)
		qsort(overrides->counts.data, overrides->counts.size,
		      sizeof(*overrides->counts.data), compare_counts);
	if (!overrides->cuts.size)
		return NULL;
	cut = overrides->cuts.data;
	end = cut + overrides->cuts.size;
	qsort(overrides->cuts.data, overrides->cuts.size, sizeof(*cut),
	      compare_cuts);
	for (source = 0; source < graph->n_sources; source++) {
		const struct override_cut *first = cut, *taken;
		uint64_t shift;

		while (cut < end && cut->source == source)
			cut++;
		shift = cut > first ?
				graph_word_offset(graph, kernel, source, 0) :
				0;
		i = from;
		from = graph->first[source + 1];
		graph->first[source] = to;
		for (; i < from; i++) {
			taken = find_cut(first, (size_t)(cut - first), shift,
					 &graph->edges[i]);
			if (!taken) {
				if (graph->at)
					graph->at[to] = graph->at[i];
				graph->edges[to++] = graph->edges[i];
			} else if (dropped) {
				dropped(arg, taken->rule);
			}
		}
	}
	graph->first[graph->n_sources] = graph->n_edges = to;
	overrides->cuts.size = 0;
	return NULL;
}
