// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/lookup.h"

#include <stdlib.h>

#include "base/util.h"
#include "kernel/type.h"

static int compare_ranges(const void *a, const void *b)
{
	const struct lookup_range *x = a, *y = b;

	if (x->start_va != y->start_va)
		return x->start_va < y->start_va ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void add(struct lookup_range *ranges, size_t *n, uint64_t start_va,
		uint64_t bytes, size_t index)
{
	ranges[(*n)++] = (struct lookup_range){ start_va, bytes,
						(uint32_t)index };
}

struct lookup *lookup_create(const struct kernel *kernel)
{
	struct lookup *l = calloc(1, sizeof(*l));
	size_t i;

	if (!l)
		return NULL;
	l->stacks = calloc(kernel->tasks.size + 1, sizeof(*l->stacks));
	l->units = calloc(kernel->roots.size + 1, sizeof(*l->units));
	l->cpus = calloc(kernel->n_cpus + 1, sizeof(*l->cpus));
	l->modules = calloc(kernel->modules.size + 1, sizeof(*l->modules));
	l->pointer_words = calloc(kernel->caches.size + 1,
				  sizeof(*l->pointer_words));
	if (!l->stacks || !l->units || !l->cpus || !l->modules ||
	    !l->pointer_words) {
		lookup_destroy(l, kernel);
		return NULL;
	}
	for (i = 0; i < kernel->tasks.size; i++) {
		const struct kernel_task *task = &kernel->tasks.data[i];

		if (task->stack_va)
			add(l->stacks, &l->n_stacks, task->stack_va,
			    kernel->thread_bytes, i);
	}
	for (i = 0; i < kernel->roots.size; i++) {
		const struct kernel_root *root = &kernel->roots.data[i];

		if (root->kind == ROOT_SECTION)
			l->image_shift = root->start_va - root->start_pa;
		if (root->kind == ROOT_PERCPU)
			add(l->units, &l->n_units, root->start_va, root->bytes,
			    i);
	}
	for (i = 0; i < kernel->n_cpus; i++) {
		if (kernel->cpu_offset[i])
			add(l->cpus, &l->n_cpus, kernel->cpu_offset[i], 1, i);
	}
	for (i = 0; i < kernel->modules.size; i++) {
		if (kernel->modules.data[i].percpu)
			add(l->modules, &l->n_modules,
			    kernel->modules.data[i].percpu, 1, i);
	}
	qsort(l->modules, l->n_modules, sizeof(*l->modules), compare_ranges);
	qsort(l->stacks, l->n_stacks, sizeof(*l->stacks), compare_ranges);
	qsort(l->units, l->n_units, sizeof(*l->units), compare_ranges);
	qsort(l->cpus, l->n_cpus, sizeof(*l->cpus), compare_ranges);
	return l;
}

void lookup_destroy(struct lookup *l, const struct kernel *kernel)
{
	size_t i;

	for (i = 0; l->pointer_words && i < kernel->caches.size; i++)
		free(l->pointer_words[i]);
	free(l->pointer_words);
	free(l->stacks);
	free(l->units);
	free(l->cpus);
	free(l->modules);
	leak_index_deinit(&l->leaks);
	graph_reverse_deinit(&l->references);
	free(l);
}

/* The first of those that start where the last one that does so at or below
 * @va starts. */
static uint32_t find(const struct lookup_range *ranges, size_t n, uint64_t va)
{
	size_t lo = partition_point(n, mid, ranges[mid].start_va <= va);

	while (lo > 1 && ranges[lo - 2].start_va == ranges[lo - 1].start_va)
		lo--;
	if (!lo || va - ranges[lo - 1].start_va >= ranges[lo - 1].bytes)
		return UINT32_MAX;
	return ranges[lo - 1].index;
}

uint32_t lookup_stack(const struct lookup *l, uint64_t va)
{
	return find(l->stacks, l->n_stacks, va);
}

uint32_t lookup_unit(const struct lookup *l, uint64_t va)
{
	return find(l->units, l->n_units, va);
}

uint32_t lookup_cpu(const struct lookup *l, uint64_t cpu_offset)
{
	return find(l->cpus, l->n_cpus, cpu_offset);
}

uint32_t lookup_percpu_module(const struct lookup *l, uint64_t pointer)
{
	return find(l->modules, l->n_modules, pointer);
}

bool lookup_leaks(struct report *report)
{
	struct lookup *l = report->lookup;
	struct kml_error *error;

	if (l->has_leaks)
		return true;
	error = leak_index_make(&report->analysis->leaks, &l->leaks);
	l->has_leaks = !error;
	writer_fail(&report->writer, error);
	return l->has_leaks;
}

bool lookup_references(struct report *report)
{
	const struct graph *graph = &report->analysis->graph;
	_cleanup_free_ uint64_t *only = bitmap_alloc(graph->n_objects);
	struct lookup *l = report->lookup;
	struct kml_error *error = only ? NULL : error_nomem();
	enum heap_reference how;
	size_t i;

	if (l->has_references) {
		kml_error_destroy(error);
		return true;
	}
	for (i = 0; !error && i < report->options.n_addresses; i++) {
		uint32_t id = heap_resolve(report->heap,
					   report->options.addresses[i], &how);

		if (id != HEAP_NONE)
			bitmap_set(only, id);
	}
	if (!error)
		error = graph_reverse(graph, only, &l->references);
	l->has_references = !error;
	writer_fail(&report->writer, error);
	return l->has_references;
}

const uint64_t *lookup_pointer_words(struct report *report, uint32_t cache,
				     const char *type)
{
	const struct kernel *kernel = report->kernel;
	uint64_t **words = &report->lookup->pointer_words[cache];

	if (!*words)
		*words = kernel_pointer_words(
			kernel, type, kernel->caches.data[cache].object_bytes);
	if (!*words)
		writer_fail(&report->writer, error_nomem());
	return *words;
}
