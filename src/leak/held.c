// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/held.h"

#include <stdlib.h>

#include "base/util.h"
#include "base/vec.h"

struct held_vec {
	VEC(struct held) v;
};

static bool held_by_stacks_alone(const struct kernel *kernel,
				 const uint64_t *reached,
				 const uint64_t *without, uint32_t id)
{
	return bitmap_test(reached, id) && leak_is_white(kernel, without, id);
}

/* What the words of one stack hold that nothing else does. */
static struct kml_error *look_at_stack(const struct kernel *kernel,
				       const struct graph *graph,
				       const uint64_t *reached,
				       const uint64_t *without, uint64_t *seen,
				       uint32_t root, struct held_vec *out)
{
	uint32_t source = graph->n_objects + root;
	uint64_t i;

	for (i = graph->first[source]; i < graph->first[source + 1]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		struct held held = {
			.id = edge->to,
			.task = kernel->roots.data[root].owner,
			.slot_va = kernel->roots.data[root].start_va +
				   graph_edge_word(edge) * 8ull,
		};

		if (bitmap_test(seen, held.id) ||
		    !held_by_stacks_alone(kernel, reached, without, held.id))
			continue;
		bitmap_set(seen, held.id);
		if (!vec_push(&out->v, held))
			return error_nomem();
	}
	return NULL;
}

static int compare_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct kml_error *held_find(const struct kernel *kernel,
			    const struct graph *graph, const uint64_t *reached,
			    const uint64_t *without, struct held_list *ret)
{
	_cleanup_free_ uint64_t *seen = bitmap_alloc(graph->n_objects);
	struct held_vec out = { { 0 } };
	struct held_list list = { 0 };
	struct kml_error *error = seen ? NULL : error_nomem();
	uint32_t i;

	for (i = 0; !error && i < kernel->roots.size; i++) {
		if (kernel->roots.data[i].kind == ROOT_STACK)
			error = look_at_stack(kernel, graph, reached, without,
					      seen, i, &out);
	}
	if (error) {
		vec_deinit(&out.v);
		return error;
	}
	for (i = 0; i < graph->n_objects; i++) {
		if (held_by_stacks_alone(kernel, reached, without, i)) {
			list.n_objects++;
			list.bytes += heap_object_bytes(kernel->heap, i);
		}
	}
	if (out.v.size)
		qsort(out.v.data, out.v.size, sizeof(*out.v.data), compare_held);
	list.held = out.v.data;
	list.n_held = (uint32_t)out.v.size;
	*ret = list;
	return NULL;
}

void held_deinit(struct held_list *held)
{
	free(held->held);
}
