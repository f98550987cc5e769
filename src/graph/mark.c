// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/mark.h"

#include <stdlib.h>

#include "base/huge.h"
#include "base/util.h"

struct mark {
	const struct graph *graph;
	const struct heap *heap;
	uint64_t *reached;
	uint32_t *gray; /* a stack; an object is pushed at most once */
	uint32_t n_gray;
	const struct overrides *overrides; /* of the user; NULL: none */
	uint32_t *seen; /* references so far to each of overrides->counts */
	bool excusing;  /* what is reached now only the overrides hold */
	struct mark_statistics statistics;
};

static void push(struct mark *mark, uint32_t id)
{
	bitmap_set(mark->reached, id);
	mark->gray[mark->n_gray++] = id;
	if (mark->excusing && heap_is_allocated(mark->heap, id)) {
		mark->statistics.excused++;
		mark->statistics.excused_bytes +=
			heap_object_bytes(mark->heap, id);
	}
}

/* With this reference to it, has the object as many as it needs? */
static bool is_enough(struct mark *mark, uint32_t id)
{
	size_t i;

	if (!mark->overrides || !bitmap_test(mark->overrides->counted, id))
		return true;
	return overrides_need(mark->overrides, id, &i) <= ++mark->seen[i];
}

static void follow(struct mark *mark, uint32_t source)
{
	const struct graph *graph = mark->graph;
	uint64_t i;

	for (i = graph->first[source]; i < graph->first[source + 1]; i++) {
		uint32_t to = graph->edges[i].to;

		/* A reference to a free object holds nothing. */
		if (bitmap_test(mark->heap->free, to))
			continue;
		if (bitmap_test(mark->reached, to)) {
			mark->statistics.duplicates++;
			continue;
		}
		if (!is_enough(mark, to))
			continue;
		mark->statistics.follows++;
		push(mark, to);
	}
}

static void drain(struct mark *mark)
{
	while (mark->n_gray)
		follow(mark, mark->gray[--mark->n_gray]);
}

/* Objects that are live, or may be, whoever refers to them. */
static void mark_self_held(struct mark *mark)
{
	const struct heap *heap = mark->heap;
	uint32_t i, id;

	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		if (!(r->flags & HEAP_ROOT) || r->flags & HEAP_ALIAS)
			continue;
		for (id = r->first_id; id < r->first_id + r->n_objects; id++) {
			if (!bitmap_test(mark->reached, id) &&
			    !bitmap_test(heap->free, id))
				push(mark, id);
		}
	}
	for (id = 0; id < heap->n_ids; id++) {
		if ((bitmap_test(heap->torn, id) ||
		     bitmap_test(heap->unreadable, id)) &&
		    !bitmap_test(mark->reached, id))
			push(mark, id);
	}
}

/* Objects that a rule says are no leak, though nothing refers to them. */
static struct kml_error *mark_by_rules(struct mark *mark,
				       const struct rules *rules)
{
	struct kml_error *error = NULL;
	uint32_t id;

	for (id = 0; !error && id < mark->graph->n_objects; id++) {
		bool not_leak;

		if (bitmap_test(mark->reached, id) ||
		    bitmap_test(mark->heap->free, id))
			continue;
		error = rules_not_leak(rules, id, &not_leak);
		if (!error && not_leak) {
			push(mark, id);
			drain(mark);
		}
	}
	return error;
}

/* What the user's rules or a baseline say is no leak.  The last, so that it is
 * known what they alone hold. */
static void mark_overrides(struct mark *mark)
{
	uint32_t id;

	mark->excusing = true;
	for (id = 0; id < mark->graph->n_objects; id++) {
		if (!bitmap_test(mark->overrides->gray, id) ||
		    bitmap_test(mark->reached, id) ||
		    !heap_is_allocated(mark->heap, id))
			continue;
		push(mark, id);
		drain(mark);
	}
}

static bool is_stack(const struct kernel *kernel, uint32_t root)
{
	return root != UINT32_MAX && kernel->roots.data[root].kind == ROOT_STACK;
}

struct kml_error *graph_mark(const struct graph *graph,
			     const struct kernel *kernel,
			     const struct rules *rules, bool without_stacks,
			     uint64_t **ret, struct mark_statistics *statistics)
{
	struct mark mark = { .graph = graph, .heap = kernel->heap };
	_cleanup_free_ uint64_t *reached = bitmap_alloc(graph->n_objects);
	_cleanup_free_ uint32_t *gray =
		huge_malloc(graph->n_objects, sizeof(*gray));
	_cleanup_free_ uint32_t *seen = NULL;
	struct kml_error *error = NULL;
	uint32_t source;

	if (!reached || !gray)
		return error_nomem();
	mark.reached = reached;
	mark.gray = gray;
	if (rules && rules->overrides) {
		mark.overrides = rules->overrides;
		mark.seen = seen = calloc(mark.overrides->counts.size + 1,
					  sizeof(*seen));
		if (!seen)
			return error_nomem();
	}
	mark_self_held(&mark);
	drain(&mark);
	for (source = graph->n_objects; source < graph->n_sources; source++) {
		if (without_stacks &&
		    is_stack(kernel, graph_source_root(graph, kernel, source)))
			continue;
		follow(&mark, source);
		drain(&mark);
	}
	if (rules)
		error = mark_by_rules(&mark, rules);
	if (error)
		return error;
	if (mark.overrides)
		mark_overrides(&mark);
	*statistics = mark.statistics;
	*ret = take_ptr(reached);
	return NULL;
}
