// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/show.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "report/lookup.h"

const char *const show_verdicts[] = {
	[SHOW_FREE] = "free",       [SHOW_DOUBT] = "in_doubt",
	[SHOW_HELD] = "held",       [SHOW_EXCUSED] = "not_leak",
	[SHOW_IGNORED] = "ignored", [SHOW_ROOT] = "leak",
	[SHOW_FOLLOWER] = "follower",
};

const char *show_color(const struct show *show)
{
	if (show->id == HEAP_NONE)
		return NULL;
	switch (show->verdict) {
	case SHOW_ROOT:
	case SHOW_FOLLOWER:
		return "white";
	case SHOW_HELD:
	case SHOW_EXCUSED:
	case SHOW_DOUBT:
		return "gray";
	case SHOW_IGNORED:
		return "black";
	default:
		return NULL;
	}
}

/* Where in the object; a per-cpu block has a copy for each CPU, as far from it
 * as the CPU's unit is from the chunk. */
static void find_offset(const struct report *report, struct show *show)
{
	const struct heap *heap = report->heap;
	uint32_t unit, cpu;
	uint64_t distance;

	show->offset = show->address - show->object.va;
	show->has_offset = show->how != HEAP_REF_PAGE &&
			   show->how != HEAP_REF_PHYSICAL;
	show->cpu = -1;
	if (show->object.kind != HEAP_PERCPU ||
	    show->offset < show->object.bytes)
		return;
	show->has_offset = false;
	unit = heap_find_region(heap, show->address);
	if (unit == HEAP_NONE)
		return;
	distance = heap->regions.data[unit].va - show->object.region->va;
	cpu = lookup_cpu(report->lookup, distance);
	if (cpu == UINT32_MAX)
		return;
	show->has_offset = true;
	show->offset -= distance;
	show->cpu = (int)cpu;
}

/* What the allocator knows of it; whether it is leaked is the verdict. */
static const char *state_of(const struct kml_analysis *analysis, uint32_t id)
{
	static const char *const words[OBJECT_STATES] = {
		[OBJECT_LIVE] = "allocated",
		[OBJECT_LEAKED] = "allocated",
		[OBJECT_WAITING] = "waiting for RCU",
		[OBJECT_FREE] = "free",
		[OBJECT_CACHED] = "cached free",
		[OBJECT_QUARANTINED] = "quarantined",
		[OBJECT_TORN] = "torn",
		[OBJECT_UNREADABLE] = "unreadable",
	};

	return words[analysis_state(analysis, id)];
}

bool show_has_content(const struct report *report, const struct show *show)
{
	return !report->options.no_content &&
	       (report->options.content || show->verdict == SHOW_ROOT ||
		show->verdict == SHOW_FOLLOWER);
}

/* The leak that a white object belongs to. */
static void find_leak(const struct report *report, struct show *show)
{
	const struct leaks *leaks = &report->analysis->leaks;

	show->leak = leak_index_find(&report->lookup->leaks, show->id);
	if (show->leak == UINT32_MAX) {
		show->verdict = SHOW_DOUBT;
		return;
	}
	show->verdict = leaks->leaks[show->leak].id == show->id ?
				SHOW_ROOT :
				SHOW_FOLLOWER;
}

static void find_verdict(const struct report *report, struct show *show)
{
	const struct kml_analysis *a = report->analysis;
	const struct overrides *overrides = a->rules.overrides;

	if (bitmap_test(report->heap->free, show->id))
		show->verdict = SHOW_FREE;
	else if (!heap_is_allocated(report->heap, show->id))
		show->verdict = SHOW_DOUBT;
	else if (!bitmap_test(a->reached, show->id))
		find_leak(report, show);
	else if (overrides && bitmap_test(overrides->black, show->id))
		show->verdict = SHOW_IGNORED;
	else if (overrides && bitmap_test(overrides->gray, show->id))
		show->verdict = SHOW_EXCUSED;
	else
		show->verdict = SHOW_HELD;
}

/* Is the source one whose references hold? */
static bool holds(const struct kml_analysis *a, uint32_t source)
{
	return source >= a->graph.n_objects ||
	       bitmap_test(a->reached, source);
}

bool show_next_reference(const struct report *report, uint32_t id,
			 struct show_cursor *cursor,
			 const struct graph_reference **ret)
{
	const struct kml_analysis *a = report->analysis;
	const struct graph_reverse *reverse = &report->lookup->references;
	uint64_t n = reverse->first[id + 1] - reverse->first[id];

	for (; cursor->pass < 3; cursor->pass++, cursor->i = 0) {
		while (cursor->i < n) {
			const struct graph_reference *r =
				&reverse->references[reverse->first[id] +
						     cursor->i++];
			bool root = r->from >= a->graph.n_objects;
			bool held = holds(a, r->from);

			if ((root ? 0u : held ? 1u : 2u) != cursor->pass)
				continue;
			cursor->held = held;
			*ret = r;
			return true;
		}
	}
	return false;
}

void show_find_holders(const struct report *report, struct show *show)
{
	struct show_cursor cursor = { 0 };
	const struct graph_reference *r;
	uint64_t n = 0;

	while (show_next_reference(report, show->id, &cursor, &r)) {
		if (n < SHOW_HOLDERS)
			show->holders[n] = (struct show_holder){
				.source = r->from,
				.word = graph_reference_word(r),
				.how = (uint8_t)graph_reference_how(r),
			};
		n++;
		if (cursor.held)
			show->n_holders++;
		else
			show->n_leaked_holders++;
	}
}

void show_find_where(struct report *report, uint64_t address,
		     struct show *ret)
{
	enum heap_reference how = HEAP_REF_NONE;

	memset(ret, 0, sizeof(*ret));
	ret->address = address;
	ret->cpu = -1;
	ret->id = heap_resolve(report->heap, address, &how);
	ret->how = (uint8_t)how;
	ret->task = place_stack(report, address);
	if (ret->id == HEAP_NONE)
		return;
	ret->object = object_of(report, ret->id);
	find_offset(report, ret);
}

void show_find_object(struct report *report, uint64_t address,
		      struct show *ret)
{
	show_find_where(report, address, ret);
	if (ret->id == HEAP_NONE) {
		place_format(report, address, ret->place);
		return;
	}
	/* A module's memory, which is one object to us. */
	if (ret->object.region->flags & HEAP_ROOT &&
	    ret->how == HEAP_REF_ADDRESS)
		place_module(report, address, ret->place);
	else if (ret->has_offset)
		place_module_percpu(report, &ret->object, ret->offset,
				    ret->place);
	ret->state = state_of(report->analysis, ret->id);
	find_verdict(report, ret);
}
