// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/reverse.h"

#include <stdlib.h>

#include "base/huge.h"
#include "base/util.h"

static bool is_wanted(const uint64_t *only, uint32_t id)
{
	return !only || bitmap_test(only, id);
}

/* Turn the number of references of each object, which first[] has, into the
 * place where its row starts; returns how many there are in all. */
static uint64_t counts_to_starts(struct graph_reverse *reverse)
{
	uint64_t sum = 0, n;
	uint32_t id;

	for (id = 0; id < reverse->n_objects; id++) {
		n = reverse->first[id];
		reverse->first[id] = sum;
		sum += n;
	}
	reverse->first[reverse->n_objects] = sum;
	return sum;
}

/* Each reference goes to the place that its row's start says, which moves on:
 * afterwards every row starts where the next one did. */
static void fill(const struct graph *graph, const uint64_t *only,
		 struct graph_reverse *reverse)
{
	uint32_t source, id;
	uint64_t i;

	for (source = 0; source < graph->n_sources; source++) {
		for (i = graph->first[source]; i < graph->first[source + 1];
		     i++) {
			const struct graph_edge *edge = &graph->edges[i];

			if (is_wanted(only, edge->to))
				reverse->references[reverse->first[edge->to]++] =
					(struct graph_reference){
						source, edge->where,
					};
		}
	}
	for (id = reverse->n_objects; id > 0; id--)
		reverse->first[id] = reverse->first[id - 1];
	reverse->first[0] = 0;
}

struct kml_error *graph_reverse(const struct graph *graph,
				const uint64_t *only,
				struct graph_reverse *ret)
{
	struct graph_reverse reverse = { .n_objects = graph->n_objects };
	uint64_t i, n;

	reverse.first = calloc(graph->n_objects + 1ull,
			       sizeof(*reverse.first));
	if (!reverse.first)
		return error_nomem();
	for (i = 0; i < graph->n_edges; i++) {
		if (is_wanted(only, graph->edges[i].to))
			reverse.first[graph->edges[i].to]++;
	}
	n = counts_to_starts(&reverse);
	reverse.references = huge_malloc(n, sizeof(*reverse.references));
	if (!reverse.references) {
		free(reverse.first);
		return error_nomem();
	}
	fill(graph, only, &reverse);
	*ret = reverse;
	return NULL;
}

void graph_reverse_deinit(struct graph_reverse *reverse)
{
	free(reverse->first);
	free(reverse->references);
	reverse->first = NULL;
	reverse->references = NULL;
}
