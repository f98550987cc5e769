// SPDX-License-Identifier: GPL-2.0-or-later
/* One chain out of those that path.c has found. */
#include <stdlib.h>

#include "base/util.h"
#include "leak/path.h"

static enum path_start start_of(const struct path_search *s,
				const struct paths *paths, uint32_t id)
{
	const struct heap *heap = s->kernel->heap;

	if (paths->parent[id] != HEAP_NONE)
		return PATH_ROOT;
	if (bitmap_test(paths->by_rule, id))
		return PATH_BUILTIN;
	if (leak_is_white(s->kernel, s->reached, id))
		return PATH_LEAK;
	if (bitmap_test(heap->torn, id) || bitmap_test(heap->unreadable, id))
		return PATH_DOUBT;
	if (heap_region_of(heap, id)->flags & HEAP_ROOT)
		return PATH_MODULE;
	return PATH_USER;
}

struct kml_error *paths_get(const struct path_search *search,
			    const struct paths *paths, uint32_t id,
			    enum path_start *start_ret,
			    struct path_link **ret, uint32_t *n_ret)
{
	uint32_t n = 0, at, first = id;
	struct path_link *links;

	*start_ret = PATH_NONE;
	*ret = NULL;
	*n_ret = 0;
	if (!bitmap_test(paths->found, id))
		return NULL;
	for (at = id; at < search->graph->n_objects &&
		      paths->parent[at] != HEAP_NONE;
	     at = paths->parent[at]) {
		n++;
		if (paths->parent[at] < search->graph->n_objects)
			first = paths->parent[at];
	}
	links = malloc(MAX(n, 1) * sizeof(*links));
	if (!links)
		return error_nomem();
	*start_ret = start_of(search, paths, first);
	*n_ret = n;
	for (at = id; n; at = paths->parent[at])
		links[--n] = (struct path_link){ paths->parent[at],
						 paths->where[at] };
	*ret = links;
	return NULL;
}
