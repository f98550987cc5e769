// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/source.h"

#include <inttypes.h>
#include <stdio.h>

#include "leak/blind.h"
#include "report/object.h"

const char *const source_how[] = {
	[HEAP_REF_NONE] = "nothing",
	[HEAP_REF_ADDRESS] = "address",
	[HEAP_REF_PAGE] = "struct page",
	[HEAP_REF_PERCPU] = "per-cpu pointer",
	[HEAP_REF_PHYSICAL] = "physical address",
};

const char *const source_disregards[GRAPH_DISREGARDS] = {
	[DISREGARD_OWNER] = "the past owner of a lock",
	[DISREGARD_INTEGER] = "a number that equals its physical address",
};

/* A word of a CPU's static area is one of a variable. */
static void describe_percpu(struct report *report,
			    const struct kernel_root *root, uint32_t word,
			    char *ret)
{
	const struct kernel *kernel = report->kernel;
	uint64_t va = kernel->percpu_start + word * 8ull, offset;
	const char *name;

	/* Symbols of the area are as they were linked. */
	if (va >= ARCH_KERNEL_MAP)
		va -= kernel->kaslr_offset;
	if (profile_symbolize(kernel->profile, va, &name, &offset))
		snprintf(ret, SOURCE_BYTES, "variable %s+0x%" PRIx64 " on CPU %u",
			 name, offset, root->owner);
	else
		snprintf(ret, SOURCE_BYTES, "%s+0x%" PRIx64, root->name,
			 word * UINT64_C(8));
}

static void describe_root(struct report *report, const struct kernel_root *root,
			  uint32_t word, char *ret)
{
	uint64_t va = root->start_va + word * 8ull;
	char symbol[SYMBOL_BYTES_MAX];
	const struct kernel_task *task;

	switch (root->kind) {
	case ROOT_PERCPU:
		describe_percpu(report, root, word, ret);
		break;
	case ROOT_SECTION:
	case ROOT_MODULE:
		object_symbol(report, va, symbol);
		snprintf(ret, SOURCE_BYTES, "%s in %s", symbol, root->name);
		break;
	case ROOT_STACK:
		task = &report->kernel->tasks.data[root->owner];
		snprintf(ret, SOURCE_BYTES,
			 "the stack of %s (pid %" PRIu32 ") at 0x%016" PRIx64,
			 task->comm, task->pid, va);
		break;
	case ROOT_RESERVED:
	case ROOT_IRQ_STACK:
		snprintf(ret, SOURCE_BYTES, "%s at 0x%016" PRIx64, root->name,
			 va);
		break;
	default:
		snprintf(ret, SOURCE_BYTES, "%s", root->name);
	}
}

static void describe_object(struct report *report, uint32_t id, uint32_t word,
			    char *ret)
{
	const struct object object = object_of(report, id);
	uint64_t va = object.va + word * 8ull;
	char symbol[SYMBOL_BYTES_MAX];

	if (word == SOURCE_NO_WORD)
		snprintf(ret, SOURCE_BYTES, "%s 0x%016" PRIx64 " (its struct pages)",
			 object_family(&object), object.va);
	else if (object.region->flags & HEAP_ROOT &&
		 object_symbol(report, va, symbol))
		snprintf(ret, SOURCE_BYTES, "%s", symbol);
	else
		snprintf(ret, SOURCE_BYTES, "%s 0x%016" PRIx64 "+0x%" PRIx64,
			 object_family(&object), object.va,
			 word * UINT64_C(8));
}

void source_describe(struct report *report, uint32_t source, uint32_t word,
		     char ret[SOURCE_BYTES])
{
	const struct graph *graph = &report->analysis->graph;
	uint32_t root = graph_source_root(graph, report->kernel, source);

	if (source < graph->n_objects)
		describe_object(report, source, word, ret);
	else if (root == UINT32_MAX)
		snprintf(ret, SOURCE_BYTES, "a struct page");
	else
		describe_root(report, &report->kernel->roots.data[root], word,
			      ret);
}

void source_describe_class(struct report *report, uint32_t source,
			   uint32_t word, char ret[SOURCE_BYTES])
{
	const struct graph *graph = &report->analysis->graph;
	uint32_t root = graph_source_root(graph, report->kernel, source);
	const struct kernel_task *task;

	if (source < graph->n_objects) {
		const struct object object = object_of(report, source);

		if (word == BLIND_ANYWHERE || word == SOURCE_NO_WORD)
			snprintf(ret, SOURCE_BYTES, "%ss",
				 object_family(&object));
		else
			snprintf(ret, SOURCE_BYTES, "+0x%" PRIx64 " of %s objects",
				 word * UINT64_C(8), object_family(&object));
	} else if (root == UINT32_MAX) {
		snprintf(ret, SOURCE_BYTES, "struct pages");
	} else if (word != BLIND_ANYWHERE) {
		describe_root(report, &report->kernel->roots.data[root], word,
			      ret);
	} else if (report->kernel->roots.data[root].kind == ROOT_STACK) {
		task = &report->kernel->tasks
				.data[report->kernel->roots.data[root].owner];
		snprintf(ret, SOURCE_BYTES, "the stack of %s (pid %" PRIu32 ")",
			 task->comm, task->pid);
	} else {
		snprintf(ret, SOURCE_BYTES, "%s",
			 report->kernel->roots.data[root].name);
	}
}
