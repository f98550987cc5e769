// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/statistics.h"

#include <sys/resource.h>

struct statistics statistics_of(const struct kml_analysis *analysis)
{
	const struct graph_statistics *graph = &analysis->graph.statistics;
	struct statistics s = {
		.objects = analysis->heap.n_ids,
		.pages = graph->pages,
		.words = graph->words,
		.dismissals = graph->words - graph->candidates,
		.candidates = graph->candidates,
		.misses = graph->misses,
		.self = graph->self,
		.references = graph->references,
		.duplicates = analysis->mark.duplicates,
		.follows = analysis->mark.follows,
		.layouts = profile_source(analysis->profile),
	};
	struct rusage usage;

	if (!getrusage(RUSAGE_SELF, &usage))
		s.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	return s;
}
