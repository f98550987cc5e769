// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/trust.h"

bool trust_is_live(const struct kernel *kernel, const struct graph *graph,
		   const uint64_t *reached,
		   const struct graph_disregarded *word)
{
	return word->from >= graph->n_objects ||
	       (bitmap_test(reached, word->from) &&
		!bitmap_test(kernel->heap->free, word->from));
}

unsigned trust_reasons(const struct kernel *kernel, const struct graph *graph,
		       const uint64_t *reached, uint32_t id)
{
	const struct heap_region *region = heap_region_of(kernel->heap, id);
	const struct graph_disregarded *words;
	unsigned reasons = 0;
	size_t n, i;

	words = graph_find_disregarded(graph, id, &n);
	for (i = 0; i < n; i++) {
		if (trust_is_live(kernel, graph, reached, &words[i]))
			reasons |= TRUST_DISREGARDED;
	}
	if (region->flags & (HEAP_GUESSED | HEAP_SPLIT))
		reasons |= TRUST_GUESSED;
	for (i = 0; i < kernel->gaps.size; i++) {
		if (kernel->gaps.data[i].unsound)
			reasons |= TRUST_PARTIAL;
	}
	return reasons;
}

enum trust trust_of(unsigned reasons)
{
	return reasons & TRUST_PARTIAL ? TRUST_LOW :
	       reasons		       ? TRUST_MEDIUM :
					 TRUST_HIGH;
}
