// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of an analysis once it is made: verdicts, states, totals. */
#include "leak/analysis.h"

#include <string.h>

uint64_t kml_leaks(const struct kml_analysis *analysis)
{
	return analysis->leaks.n_objects;
}

bool kml_is_leaked(const struct kml_analysis *analysis, uint64_t address)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(&analysis->heap, address, &how);

	return id != HEAP_NONE && analysis->reached &&
	       leak_is_white(&analysis->kernel, analysis->reached, id);
}

uint64_t kml_kmemleak_reported(const struct kml_analysis *analysis)
{
	const struct kmemleak *kmemleak = &analysis->kmemleak;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < kmemleak->records.size; i++)
		n += kmemleak_is_reported(kmemleak, &kmemleak->records.data[i]);
	return n;
}

bool kml_partial(const struct kml_analysis *analysis)
{
	size_t i;

	for (i = 0; i < analysis->kernel.gaps.size; i++) {
		if (analysis->kernel.gaps.data[i].unsound)
			return true;
	}
	return false;
}

struct kml_error *analysis_find_holdings(struct kml_analysis *a)
{
	struct kml_error *error;

	if (a->has_holdings)
		return NULL;
	error = message_progress(&a->messenger, "dominators", 0, 1);
	if (!error)
		error = holdings_find(&a->kernel, &a->graph, a->reached,
				      a->inferred ? &a->infer : NULL,
				      &a->holdings);
	a->has_holdings = !error;
	return error;
}

enum object_state analysis_state(const struct kml_analysis *a, uint32_t id)
{
	const struct heap *heap = &a->heap;

	if (bitmap_test(heap->waiting, id))
		return OBJECT_WAITING;
	if (bitmap_test(heap->quarantined, id))
		return OBJECT_QUARANTINED;
	if (bitmap_test(heap->cached, id))
		return OBJECT_CACHED;
	if (bitmap_test(heap->free, id))
		return OBJECT_FREE;
	if (bitmap_test(heap->torn, id))
		return OBJECT_TORN;
	if (bitmap_test(heap->unreadable, id))
		return OBJECT_UNREADABLE;
	if (a->reached && leak_is_white(&a->kernel, a->reached, id))
		return OBJECT_LEAKED;
	return OBJECT_LIVE;
}

void analysis_totals(const struct kml_analysis *analysis,
		     struct object_totals *ret)
{
	uint32_t id;

	memset(ret, 0, sizeof(*ret));
	for (id = 0; id < analysis->heap.n_ids; id++) {
		unsigned kind = heap_region_of(&analysis->heap, id)->kind;
		enum object_state state = analysis_state(analysis, id);

		ret->objects[kind][state]++;
		ret->bytes[kind][state] += heap_object_bytes(&analysis->heap, id);
	}
}
