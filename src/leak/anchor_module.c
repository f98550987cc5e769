// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Anchors in modules: variables of their memory, and each CPU's copies of their
 * per-cpu variables.  To the graph both are objects.
 */
#include "leak/anchor_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"

static struct kml_error *module_place(const struct anchor_find *find,
				      uint64_t va, struct anchor_place *ret)
{
	struct kernel_symbol_name symbol;
	struct kml_error *error;
	bool found;

	ret->va = va;
	ret->end_va = va + 8;
	snprintf(ret->name, sizeof(ret->name), "data");
	error = kernel_module_variable(find->kernel, find->module, va, &found,
				       &symbol);
	if (found) {
		ret->va = va - symbol.offset;
		ret->end_va = ret->va + symbol.bytes;
	}
	if (found && !error)
		snprintf(ret->name, sizeof(ret->name), "%s", symbol.name);
	return kernel_forgive(find->kernel, error, "symbols of modules", va);
}

static struct kml_error *place_module(const struct anchor_find *find,
				      uint64_t va, void *arg,
				      struct anchor_place *ret)
{
	(void)arg;
	return module_place(find, va, ret);
}

/* @arg: the CPU whose copies the words are in. */
static struct kml_error *place_module_percpu(const struct anchor_find *find,
					     uint64_t va, void *arg,
					     struct anchor_place *ret)
{
	uint64_t shift = find->kernel->cpu_offset[*(unsigned *)arg];
	struct kml_error *error = module_place(find, va - shift, ret);

	ret->va += shift;
	ret->end_va += shift;
	return error;
}

/* The object that is a part of a module's memory. */
static uint32_t part_object(const struct kernel *kernel, uint64_t va)
{
	uint32_t index = heap_find_region(kernel->heap, va);
	const struct heap_region *r;

	if (index == HEAP_NONE)
		return HEAP_NONE;
	r = &kernel->heap->regions.data[index];
	return r->flags & HEAP_ROOT && !(r->flags & HEAP_ALIAS) &&
			       r->n_objects == 1 ?
		       r->first_id :
		       HEAP_NONE;
}

/* The block that a module's per-cpu variables are, or HEAP_NONE. */
static uint32_t percpu_object(const struct kernel *kernel,
			      const struct kernel_module *module)
{
	enum heap_reference how = HEAP_REF_NONE;
	uint32_t id = module->percpu ?
			      heap_resolve(kernel->heap, module->percpu, &how) :
			      HEAP_NONE;

	return id != HEAP_NONE && how == HEAP_REF_PERCPU &&
			       !bitmap_test(kernel->heap->free, id) ?
		       id :
		       HEAP_NONE;
}

/* Of the gathered words, whose .va are per-cpu pointers, those that a CPU's
 * copy has; they are moved there. */
static struct kml_error *add_copies(struct anchor_find *find, unsigned cpu,
				    const struct anchor_word *words, size_t n)
{
	const struct kernel *kernel = find->kernel;
	enum heap_reference how;
	struct kml_error *error;
	uint64_t value;
	size_t i;

	find->words.size = 0;
	for (i = 0; i < n; i++) {
		struct anchor_word word = words[i];

		if (word.va == UINT64_MAX)
			continue;
		word.va += kernel->cpu_offset[cpu];
		error = kernel_read_u64(find->kernel, word.va, &value);
		if (error) {
			error = kernel_forgive(find->kernel, error,
					       "per-cpu variables of modules",
					       word.va);
			if (error)
				return error;
			continue;
		}
		/* The same word of several CPUs may have the same value. */
		if (heap_resolve(kernel->heap, value, &how) != word.to ||
		    (i && words[i - 1].va == words[i].va &&
		     words[i - 1].to == word.to))
			continue;
		if (!vec_push(&find->words, word))
			return error_nomem();
	}
	return anchor_add_split(find, ANCHOR_PERCPU, cpu, place_module_percpu,
				&cpu);
}

static struct kml_error *add_module_percpu(struct anchor_find *find,
					   uint32_t id)
{
	const struct kernel *kernel = find->kernel;
	_cleanup_free_ struct anchor_word *words = NULL;
	struct kml_error *error;
	unsigned cpu;
	size_t n;

	error = anchor_gather(find, id, heap_object_va(kernel->heap, id));
	if (error || !find->words.size)
		return error;
	n = find->words.size;
	words = malloc(n * sizeof(*words));
	if (!words)
		return error_nomem();
	memcpy(words, find->words.data, n * sizeof(*words));
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = add_copies(find, cpu, words, n);
	}
	return error;
}

struct kml_error *anchor_add_module(struct anchor_find *find,
				    const struct kernel_module *module)
{
	struct kml_error *error;
	uint32_t id;
	unsigned i;

	error = kernel_load_module_symbols(find->kernel, module);
	error = kernel_forgive(find->kernel, error, "symbols of modules",
			       module->symtab_va);
	if (!error)
		error = anchor_add_name(find, module->name, &find->module_name);
	find->module = module;
	for (i = 0; !error && i < module->n_parts; i++) {
		id = part_object(find->kernel, module->part_va[i]);
		if (id == HEAP_NONE)
			continue;
		error = anchor_gather(find, id,
				      heap_object_va(find->kernel->heap, id));
		if (!error)
			error = anchor_add_split(find, ANCHOR_VARIABLE, 0,
						 place_module, NULL);
		if (!error && !vec_push(&find->holders->split, id))
			error = error_nomem();
	}
	id = percpu_object(find->kernel, module);
	if (!error && id != HEAP_NONE)
		error = add_module_percpu(find, id);
	if (!error && id != HEAP_NONE && !vec_push(&find->holders->split, id))
		error = error_nomem();
	find->module = NULL;
	return error;
}
