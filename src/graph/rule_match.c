// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/rule_match.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/type.h"
#include "kernel/variable.h"

/* Of a variable, so much is looked at for what it points to. */
#define MAX_VARIABLE_BYTES (1u << 20)

struct match {
	struct kernel *kernel;
	const struct graph *graph;
	const struct rule_list *list;
	struct rule *rule;
	uint32_t rule_index;
	struct overrides *overrides;
};

/* ---- what an action does */

static struct kml_error *add_cut(struct match *match, uint32_t source,
				 struct override_cut cut)
{
	cut.source = source;
	cut.rule = match->rule_index;
	return vec_push(&match->overrides->cuts, cut) ? NULL : error_nomem();
}

/* The part of a source that offset= and length= say. */
static struct override_cut part_of(const struct rule *rule, uint64_t length)
{
	return (struct override_cut){
		.start = rule->offset,
		.end = rule->has_length ? rule->offset + rule->length :
					  rule->offset + length,
	};
}

static struct kml_error *select_object(struct match *match, uint32_t id)
{
	struct override_cut cut = { .end = UINT64_MAX };
	const struct rule *rule = match->rule;

	/* Free slots are nothing that a rule is about, and of objects in
	 * doubt nothing is reported. */
	if (!heap_is_allocated(match->kernel->heap, id))
		return NULL;
	match->rule->n_objects++;
	switch (rule->action) {
	case RULE_NOT_LEAK:
		bitmap_set(match->overrides->gray, id);
		return NULL;
	case RULE_TRANSIENT:
		bitmap_set(match->overrides->transient, id);
		return NULL;
	case RULE_IGNORE:
		bitmap_set(match->overrides->gray, id);
		bitmap_set(match->overrides->black, id);
		cut.logic = true;
		return add_cut(match, id, cut);
	case RULE_NO_SCAN:
		return add_cut(match, id, cut);
	case RULE_SCAN_AREA:
		cut = part_of(rule, INT64_MAX - rule->offset);
		cut.keep = true;
		return add_cut(match, id, cut);
	case RULE_ERASE:
		return add_cut(match, id, part_of(rule, 8));
	case RULE_MIN_COUNT:
		/* kmemleak: an object with min_count 0 is always gray */
		if (!rule->count)
			bitmap_set(match->overrides->gray, id);
		else
			return overrides_add_count(match->overrides, id,
						   (uint32_t)rule->count);
		return NULL;
	default:
		return NULL;
	}
}

/* ---- objects */

static bool region_is_own(const struct heap_region *r)
{
	return !(r->flags & HEAP_ALIAS);
}

static struct kml_error *select_region(struct match *match,
				       const struct heap_region *r)
{
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < r->n_objects; i++)
		error = select_object(match, r->first_id + i);
	return error;
}

/* All objects of the caches whose bits are set. */
static struct kml_error *select_caches(struct match *match,
				       const uint64_t *caches)
{
	const struct heap *heap = match->kernel->heap;
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		if (r->kind == HEAP_SLAB && region_is_own(r) &&
		    bitmap_test(caches, r->owner))
			error = select_region(match, r);
	}
	return error;
}

static bool is_of_type(const struct kernel *kernel,
		       const struct kernel_cache *cache, const char *name)
{
	const char *type = kernel_cache_type(kernel, cache);

	return type && !strcmp(type, name);
}

static struct kml_error *select_by_cache(struct match *match)
{
	struct kernel *kernel = match->kernel;
	_cleanup_free_ uint64_t *caches = bitmap_alloc(kernel->caches.size);
	size_t i;

	if (!caches)
		return error_nomem();
	for (i = 0; i < kernel->caches.size; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];
		bool good = false;

		if (match->rule->selector == RULE_TYPE)
			good = is_of_type(kernel, cache, match->rule->name);
		else
			good = !fnmatch(match->rule->name, cache->name, 0);
		if (good)
			bitmap_set(caches, i);
	}
	return select_caches(match, caches);
}

static struct kml_error *select_at(struct match *match, uint64_t va)
{
	enum heap_reference how = HEAP_REF_NONE;
	uint32_t id = heap_resolve(match->kernel->heap, va, &how);

	if (id == HEAP_NONE || how == HEAP_REF_PHYSICAL)
		return NULL;
	return select_object(match, id);
}

/* What the inventory knows the addresses of, whatever cache it is in. */
static struct kml_error *select_known(struct match *match)
{
	struct kernel *kernel = match->kernel;
	const char *type = match->rule->name;
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < kernel->areas.size; i++) {
		const struct kernel_area *area = &kernel->areas.data[i];

		if (!strcmp(type, "vm_struct") && area->vm_va)
			error = select_at(match, area->vm_va);
		else if (!strcmp(type, "vmap_area"))
			error = select_at(match, area->area_va);
	}
	for (i = 0; !error && i < kernel->tasks.size; i++) {
		if (!strcmp(type, "task_struct"))
			error = select_at(match, kernel->tasks.data[i].va);
	}
	return error;
}

static struct kml_error *select_by_type(struct match *match)
{
	struct kml_error *error = select_by_cache(match);

	return error || match->rule->n_objects ? error : select_known(match);
}

/* What the module's code allocated or mapped, where that is recorded. */
static struct kml_error *select_by_module(struct match *match)
{
	const struct rule_list *list = match->list;
	const struct heap *heap = match->kernel->heap;
	struct kml_error *error = NULL;
	const char *name;
	uint32_t id;

	for (id = 0; !error && list->module && id < heap->n_ids; id++) {
		if (!heap_is_allocated(heap, id))
			continue;
		name = list->module(list->module_arg, id);
		if (name && name[0] && !fnmatch(match->rule->name, name, 0))
			error = select_object(match, id);
	}
	return error;
}

/* The objects that a variable's words point to, as a scan would take them. */
static struct kml_error *select_pointees(void *arg, uint64_t va, uint64_t bytes)
{
	struct match *match = arg;
	uint64_t end = va + MIN(bytes, MAX_VARIABLE_BYTES), word;
	struct kml_error *error = NULL;
	enum heap_reference how;

	for (va = align_up(va, 8); !error && va + 8 <= end; va += 8) {
		error = kernel_read_u64(match->kernel, va, &word);
		if (error)
			return kernel_forgive(match->kernel, error,
					      "variables that rules name", va);
		if (word >= 4096) {
			uint32_t id = heap_resolve(match->kernel->heap, word,
						   &how);

			if (id != HEAP_NONE)
				error = select_object(match, id);
		}
	}
	return error;
}

/* ---- words, for RULE_ERASE */

static struct kml_error *cut_source(struct match *match, uint32_t source,
				    uint64_t offset, uint64_t bytes)
{
	const struct override_cut cut = {
		.start = offset,
		.end = offset + bytes,
	};

	match->rule->n_ranges++;
	return add_cut(match, source, cut);
}

/* Whatever has words in these bytes: roots, and an object. */
static struct kml_error *cut_range(void *arg, uint64_t va, uint64_t bytes)
{
	struct match *match = arg;
	const struct kernel *kernel = match->kernel;
	enum heap_reference how = HEAP_REF_NONE;
	uint32_t id = heap_resolve(kernel->heap, va, &how);
	struct kml_error *error = NULL;
	uint32_t i;

	if (id != HEAP_NONE && how == HEAP_REF_ADDRESS &&
	    heap_region_of(kernel->heap, id)->kind != HEAP_PERCPU)
		error = cut_source(match, id,
				   va - heap_object_va(kernel->heap, id),
				   bytes);
	for (i = 0; !error && i < kernel->roots.size; i++) {
		const struct kernel_root *root = &kernel->roots.data[i];

		if (root->kind != ROOT_REGISTERS && root->kind != ROOT_CODE &&
		    va - root->start_va < root->bytes)
			error = cut_source(match, match->graph->n_objects + i,
					   va - root->start_va, bytes);
	}
	return error;
}

/* A module's per-cpu variables are an object: one for all CPUs. */
static struct kml_error *cut_percpu(struct match *match, uint64_t pointer,
				    uint64_t bytes)
{
	const struct heap *heap = match->kernel->heap;
	enum heap_reference how = HEAP_REF_NONE;
	uint32_t id = heap_resolve(heap, pointer, &how);

	if (id == HEAP_NONE || how != HEAP_REF_PERCPU)
		return NULL;
	return cut_source(match, id, pointer - heap_object_va(heap, id), bytes);
}

static struct kml_error *cut_module(struct match *match)
{
	struct kernel *kernel = match->kernel;
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < kernel->modules.size; i++) {
		const struct kernel_module *module = &kernel->modules.data[i];
		size_t part;

		if (fnmatch(match->rule->name, module->name, 0))
			continue;
		for (part = 0; !error && part < module->n_parts; part++)
			error = cut_range(match, module->part_va[part],
					  UINT32_MAX);
		if (!error && module->percpu)
			error = cut_percpu(match, module->percpu, UINT32_MAX);
	}
	return error;
}

static struct kml_error *match_symbol(struct match *match)
{
	const struct rule *rule = match->rule;
	struct kernel_variable variable;
	struct kml_error *error;
	bool found;

	error = kernel_find_variable(match->kernel, rule->name, &variable,
				     &found);
	if (error || !found)
		return error;
	if (rule->action != RULE_ERASE)
		return kernel_for_each_copy(match->kernel, &variable,
					    select_pointees, match);
	variable.va += rule->offset;
	if (rule->has_length)
		variable.bytes = rule->length;
	else if (rule->has_offset)
		variable.bytes = 8;
	error = kernel_for_each_copy(match->kernel, &variable, cut_range,
				     match);
	if (!error && variable.percpu)
		error = cut_percpu(match, variable.va, variable.bytes);
	return error;
}

/* ---- rules */

static struct kml_error *match_rule(struct match *match)
{
	const struct rule *rule = match->rule;
	bool words = rule_selects_words(rule);

	switch (rule->selector) {
	case RULE_CACHE:
		return select_by_cache(match);
	case RULE_TYPE:
		return select_by_type(match);
	case RULE_SYMBOL:
		return match_symbol(match);
	case RULE_ADDRESS:
		if (!words)
			return select_at(match, rule->number);
		return cut_range(match, rule->number + rule->offset,
				 rule->has_length ? rule->length : 8);
	case RULE_MODULE:
		return words ? cut_module(match) : select_by_module(match);
	default:
		return NULL;
	}
}

static void count_dropped(void *arg, uint32_t rule)
{
	struct rule_list *list = arg;

	list->rules.data[rule].n_references++;
}

struct kml_error *rules_apply(struct kernel *kernel, struct graph *graph,
			      struct rule_list *list,
			      struct overrides *overrides)
{
	return overrides_apply(overrides, kernel, graph, count_dropped, list);
}

struct kml_error *rules_match(struct kernel *kernel, struct graph *graph,
			      struct rule_list *list,
			      struct overrides *overrides)
{
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < list->rules.size; i++) {
		struct match match = {
			.kernel = kernel,
			.graph = graph,
			.list = list,
			.rule = &list->rules.data[i],
			.rule_index = (uint32_t)i,
			.overrides = overrides,
		};

		error = match_rule(&match);
	}
	return error ? error : rules_apply(kernel, graph, list, overrides);
}

struct kml_error *rules_match_object(struct kernel *kernel,
				     const struct graph *graph,
				     struct rule_list *list, uint32_t rule,
				     uint32_t id, struct overrides *overrides)
{
	struct match match = {
		.kernel = kernel,
		.graph = graph,
		.list = list,
		.rule = &list->rules.data[rule],
		.rule_index = rule,
		.overrides = overrides,
	};

	return select_object(&match, id);
}
