// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/holds.h"

static bool is_plain(const struct graph_edge *edge)
{
	return graph_edge_how(edge) == HEAP_REF_ADDRESS ||
	       graph_edge_how(edge) == HEAP_REF_PAGE;
}

/* A pointer into a module is shown as the symbol that it is. */
static bool is_module(const struct report *report, uint32_t id)
{
	return heap_region_of(report->heap, id)->flags & HEAP_ROOT;
}

size_t holds_find(const struct report *report, const struct object *object,
		  struct hold *ret, size_t max)
{
	const struct kml_analysis *analysis = report->analysis;
	const struct graph *graph = &analysis->graph;
	size_t n = 0;
	uint64_t i;

	for (i = graph->first[object->id];
	     i < graph->first[object->id + 1] && n < max; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint64_t offset = graph_edge_word(edge) * UINT64_C(8);

		/* What lies behind the object is no word of it, but of its
		 * struct pages, or something that the kernel's logic says.
		 * Per-cpu pointers and physical addresses look too much like
		 * plain numbers to tell anything. */
		if (offset >= object->bytes || !is_plain(edge) ||
		    !heap_is_allocated(report->heap, edge->to) ||
		    is_module(report, edge->to) ||
		    leak_is_white(&analysis->kernel, analysis->reached,
				  edge->to))
			continue;
		ret[n].offset = offset;
		ret[n++].object = object_of(report, edge->to);
	}
	return n;
}
