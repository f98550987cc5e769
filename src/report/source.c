// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/source.h"

#include <inttypes.h>
#include <stdio.h>

#include "leak/trust.h"

const char *const source_how[] = {
	[HEAP_REF_NONE] = "none",
	[HEAP_REF_ADDRESS] = "address",
	[HEAP_REF_PAGE] = "struct page",
	[HEAP_REF_PERCPU] = "per-cpu pointer",
	[HEAP_REF_PHYSICAL] = "physical address",
};

const char *const source_disregards[GRAPH_DISREGARDS] = {
	[DISREGARD_OWNER] = "the past owner of a lock",
	[DISREGARD_INTEGER] = "a number that equals its physical address",
	[DISREGARD_MEMBER] = "no pointer, by the member's type",
};

/* All words of a root or of objects of a kind. */
static void format_anywhere(struct report *report, uint32_t source,
			    char ret[PLACE_BYTES])
{
	const struct graph *graph = &report->analysis->graph;
	uint32_t index = graph_source_root(graph, report->kernel, source);
	const struct kernel_root *root;
	const struct kernel_task *task;

	if (source < graph->n_objects) {
		const struct object object = object_of(report, source);

		snprintf(ret, PLACE_BYTES, "%ss", object_family(&object));
		return;
	}
	if (index == UINT32_MAX) {
		snprintf(ret, PLACE_BYTES, "struct pages");
		return;
	}
	root = &report->kernel->roots.data[index];
	if (root->kind != ROOT_STACK) {
		snprintf(ret, PLACE_BYTES, "%s", root->name);
		return;
	}
	task = &report->kernel->tasks.data[root->owner];
	snprintf(ret, PLACE_BYTES, "stack of %s, pid %" PRIu32, task->comm,
		 task->pid);
}

void source_format(struct report *report, const struct blind_holder *holder,
		   char ret[PLACE_BYTES])
{
	const struct graph *graph = &report->analysis->graph;
	uint32_t id;
	uint64_t va;

	if (holder->word == BLIND_ANYWHERE || holder->word == GRAPH_WORD_NONE) {
		format_anywhere(report, holder->source, ret);
	} else if (holder->source < graph->n_objects) {
		const struct object object = object_of(report, holder->source);

		uint64_t offset = graph_word_offset(graph, report->kernel,
						    holder->source,
						    holder->word);
		char member[PLACE_MEMBER_BYTES];

		snprintf(ret, PLACE_BYTES, "+0x%" PRIx64 "%s of %s objects",
			 offset, place_member(report, &object, offset, member),
			 object_family(&object));
	} else {
		place_holder(report, holder->source, holder->word, &id, &va,
			     ret);
	}
}

size_t source_disregarded(const struct report *report, uint32_t id,
			  const struct graph_disregarded **ret, size_t max)
{
	const struct kml_analysis *analysis = report->analysis;
	const struct graph_disregarded *words;
	size_t n, i, found = 0;

	words = graph_find_disregarded(&analysis->graph, id, &n);
	for (i = 0; i < n && found < max; i++) {
		if (trust_is_live(report->kernel, &analysis->graph,
				  analysis->reached, &words[i]))
			ret[found++] = &words[i];
	}
	return found;
}
