// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/show.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"

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

/* Where in the object; a per-cpu block has a copy for each CPU. */
static void find_offset(const struct report *report, struct show *show)
{
	const struct kernel *kernel = report->kernel;
	unsigned cpu;

	show->offset = show->address - show->object.va;
	show->has_offset = show->how != HEAP_REF_PAGE &&
			   show->how != HEAP_REF_PHYSICAL;
	show->cpu = -1;
	if (show->object.kind != HEAP_PERCPU ||
	    show->offset < show->object.bytes)
		return;
	show->has_offset = false;
	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		uint64_t offset = show->address - kernel->cpu_offset[cpu] -
				  show->object.va;

		if (!kernel->cpu_offset[cpu] || offset >= show->object.bytes)
			continue;
		show->has_offset = true;
		show->offset = offset;
		show->cpu = (int)cpu;
		return;
	}
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

/* The leak that a white object belongs to. */
static void find_leak(const struct leaks *leaks, struct show *show)
{
	uint32_t i;

	show->verdict = SHOW_ROOT;
	for (i = 0; i < leaks->n_leaks; i++) {
		show->leak = i;
		if (leaks->leaks[i].id == show->id)
			return;
	}
	show->verdict = SHOW_FOLLOWER;
	for (i = 0; i < leaks->n_leaks; i++) {
		const struct leak *leak = &leaks->leaks[i];
		const uint32_t *ids = leaks->followers + leak->first_follower;
		uint32_t f;

		show->leak = i;
		for (f = 0; f < leak->n_followers; f++) {
			if (ids[f] == show->id)
				return;
		}
	}
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
		find_leak(&a->leaks, show);
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

static void add_references(const struct kml_analysis *a, struct show *show,
			   uint32_t source)
{
	const struct graph *graph = &a->graph;
	uint64_t i;

	for (i = graph->first[source]; i < graph->first[source + 1]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		uint64_t n = show->n_holders + show->n_leaked_holders;

		if (edge->to != show->id)
			continue;
		if (n < SHOW_HOLDERS)
			show->holders[n] = (struct show_holder){
				.source = source,
				.word = graph_edge_word(edge),
				.how = (uint8_t)graph_edge_how(edge),
			};
		if (holds(a, source))
			show->n_holders++;
		else
			show->n_leaked_holders++;
	}
}

/* The graph has references by source alone: look through all of them. */
static void find_holders(const struct report *report, struct show *show)
{
	const struct kml_analysis *a = report->analysis;
	uint32_t source;

	for (source = a->graph.n_objects; source < a->graph.n_sources; source++)
		add_references(a, show, source);
	for (source = 0; source < a->graph.n_objects; source++) {
		if (holds(a, source))
			add_references(a, show, source);
	}
	for (source = 0; source < a->graph.n_objects; source++) {
		if (!holds(a, source))
			add_references(a, show, source);
	}
}

void show_find(struct report *report, uint64_t address, struct show *ret)
{
	enum heap_reference how = HEAP_REF_NONE;

	memset(ret, 0, sizeof(*ret));
	ret->address = address;
	ret->id = heap_resolve(report->heap, address, &how);
	ret->how = (uint8_t)how;
	ret->task = place_stack(report, address);
	if (ret->id == HEAP_NONE) {
		place_format(report, address, ret->place);
		return;
	}
	ret->object = object_of(report, ret->id);
	/* A module's memory, which is one object to us. */
	if (ret->object.region->flags & HEAP_ROOT && how == HEAP_REF_ADDRESS) {
		char symbol[SYMBOL_BYTES_MAX];

		if (object_symbol(report, address, symbol))
			kernel_format_symbol(report->kernel, address,
					     ret->place, sizeof(ret->place));
	}
	find_offset(report, ret);
	ret->state = state_of(report->analysis, ret->id);
	find_verdict(report, ret);
	find_holders(report, ret);
}
