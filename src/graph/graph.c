// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/graph.h"

#include <stdlib.h>

#include "base/util.h"

void graph_deinit(struct graph *graph)
{
	free(graph->first);
	free(graph->edges);
	free(graph->at);
	free(graph->disregarded);
	free(graph->idle);
}

const struct graph_disregarded *
graph_find_disregarded(const struct graph *graph, uint32_t id, size_t *n)
{
	size_t lo = partition_point(graph->n_disregarded, mid,
				    graph->disregarded[mid].to < id);
	size_t first;

	for (first = lo; lo < graph->n_disregarded &&
			 graph->disregarded[lo].to == id;
	     lo++)
		;
	*n = lo - first;
	return graph->disregarded + first;
}

uint32_t graph_source_root(const struct graph *graph,
			   const struct kernel *kernel, uint32_t source)
{
	if (source < graph->n_objects ||
	    source - graph->n_objects >= kernel->roots.size)
		return UINT32_MAX;
	return source - graph->n_objects;
}
