// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The references, by source as the graph has them.  Columns, since what is
 * alike compresses better side by side: how many each source has; the distance
 * of each word from the one before; what each refers to, as the distance from
 * what the same word of another source referred to last.
 */
#include <stdlib.h>

#include "base/util.h"
#include "snapshot/snapshot.h"

/* enum heap_reference: reports have a word for each. */
#define HOWS (HEAP_REF_PHYSICAL + 1u)

archive_covers(struct graph, 144);
archive_covers(struct graph_disregarded, 16);
archive_covers(struct graph_statistics, 80);

static void archive_degrees(struct archive *a, struct graph *graph)
{
	uint32_t source;

	if (a->loading)
		graph->first = archive_alloc(a, (uint64_t)graph->n_sources + 1,
					     sizeof(*graph->first));
	if (!graph->first)
		return;
	for (source = 0; source < graph->n_sources; source++) {
		uint64_t n = a->loading ? 0 :
					  graph->first[source + 1] -
						  graph->first[source];

		archive_u64(a, &n);
		archive_check(a, n <= graph->n_edges - graph->first[source],
			      "the number of references");
		if (a->loading)
			graph->first[source + 1] =
				graph->first[source] + (a->failed ? 0 : n);
	}
	archive_check(a, graph->first[graph->n_sources] == graph->n_edges,
		      "the number of references");
}

static void archive_words(struct archive *a, struct graph *graph)
{
	uint32_t source, last;
	uint64_t i;

	for (source = 0; source < graph->n_sources; source++) {
		last = 0;
		for (i = graph->first[source]; i < graph->first[source + 1];
		     i++) {
			struct graph_edge *edge = &graph->edges[i];

			last = archive_near(a, edge->where, last);
			if (a->loading)
				edge->where = last;
			archive_check(a, graph_edge_how(edge) < HOWS,
				      "a reference");
		}
	}
}

/* Objects of one kind have their pointers in the same words, to what is close
 * to each other or the same. */
#define WORDS_ALIKE 4096u

static void archive_targets(struct archive *a, struct graph *graph)
{
	uint32_t last[WORDS_ALIKE] = { 0 }, *near;
	uint64_t i;

	for (i = 0; i < graph->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[i];

		near = &last[edge->where % WORDS_ALIKE];
		*near = archive_near(a, edge->to, *near);
		if (a->loading)
			edge->to = *near;
		archive_check(a, edge->to < graph->n_objects, "a reference");
	}
}

static void archive_edges(struct archive *a, struct graph *graph)
{
	if (a->loading)
		graph->edges = archive_alloc(a, graph->n_edges,
					     sizeof(*graph->edges));
	if (!graph->edges)
		return;
	archive_words(a, graph);
	archive_targets(a, graph);
}

static void archive_disregarded(struct archive *a, struct graph *graph)
{
	uint64_t n = graph->n_disregarded, i;
	uint32_t last = 0;

	archive_count(a, &n, 4, UINT32_MAX);
	if (a->loading) {
		graph->disregarded = archive_alloc(a, n,
						   sizeof(*graph->disregarded));
		graph->n_disregarded = graph->disregarded ? n : 0;
	}
	for (i = 0; i < graph->n_disregarded; i++) {
		struct graph_disregarded *d = &graph->disregarded[i];
		uint32_t step = d->to - last;

		archive_u32(a, &step);
		archive_u32(a, &d->from);
		archive_u32(a, &d->word);
		archive_u32(a, &d->why);
		if (a->loading)
			archive_check(a, !__builtin_add_overflow(last, step,
								 &d->to) &&
				      d->to < graph->n_objects &&
				      d->from < graph->n_sources &&
				      d->why < GRAPH_DISREGARDS,
				      "a disregarded reference");
		last = d->to;
	}
}

static void archive_statistics(struct archive *a, struct graph_statistics *s)
{
	archive_u64(a, &s->pages);
	archive_u64(a, &s->words);
	archive_u64(a, &s->candidates);
	archive_u64(a, &s->misses);
	archive_u64(a, &s->self);
	archive_u64(a, &s->references);
	archive_u64(a, &s->slabs_torn);
	archive_u64(a, &s->slabs_unreadable);
	archive_u64(a, &s->typed_caches);
	archive_u64(a, &s->integers);
}

void archive_graph(struct archive *a, struct snapshot *snapshot)
{
	const struct kml_analysis *analysis = snapshot->analysis;
	struct graph *graph = &snapshot->analysis->graph;
	uint64_t n_sources = graph->n_sources;

	archive_u32(a, &graph->n_objects);
	archive_count(a, &n_sources, 1, UINT32_MAX);
	archive_count(a, &graph->n_edges, 2, UINT64_MAX);
	archive_check(a, graph->n_objects == analysis->heap.n_ids &&
		      n_sources >= graph->n_objects +
					   analysis->kernel.roots.size,
		      "the size of the graph");
	graph->n_sources = a->failed ? 0 : (uint32_t)n_sources;
	archive_degrees(a, graph);
	archive_edges(a, graph);
	archive_disregarded(a, graph);
	archive_statistics(a, &graph->statistics);
}
