// SPDX-License-Identifier: GPL-2.0-or-later
/* What is not scanned word by word: rules of objects, and holes in memory. */
#include "kernel/kernel.h"

#include <stdlib.h>

#include "base/util.h"

struct kml_error *kernel_add_rule(struct kernel *kernel, uint64_t va,
				  struct kernel_rule rule)
{
	enum heap_reference how;

	rule.id = heap_resolve(kernel->heap, va, &how);
	/* Not a part of a larger block: offsets would be wrong. */
	if (rule.id == HEAP_NONE ||
	    (how == HEAP_REF_ADDRESS &&
	     rule.id == heap_resolve(kernel->heap, va - 1, &how)))
		return NULL;
	return vec_push(&kernel->rules, rule) ? NULL : error_nomem();
}

struct kml_error *kernel_add_hole(struct kernel *kernel, uint64_t va,
				  uint64_t bytes)
{
	const struct kernel_hole hole = { va, va + bytes };
	struct kernel_rule rule = { .kind = SCAN_HOLES };
	size_t n = kernel->rules.size;
	enum heap_reference how;

	if (va + bytes <= va)
		return NULL;
	if (!vec_push(&kernel->holes, hole))
		return error_nomem();
	rule.id = heap_resolve(kernel->heap, va, &how);
	/* Many holes of one object come in a row. */
	if (rule.id == HEAP_NONE ||
	    (n && kernel->rules.data[n - 1].id == rule.id &&
	     kernel->rules.data[n - 1].kind == SCAN_HOLES))
		return NULL;
	return vec_push(&kernel->rules, rule) ? NULL : error_nomem();
}

struct kml_error *kernel_add_hole_within(struct kernel *kernel, uint64_t va,
					 uint64_t bytes)
{
	enum heap_reference how, end_how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);

	if (!bytes || id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_resolve(kernel->heap, va + bytes - 1, &end_how) != id)
		return NULL;
	return kernel_add_hole(kernel, va, bytes);
}

struct kml_error *kernel_add_dead_object(struct kernel *kernel, uint64_t va)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != va)
		return NULL;
	return kernel_add_hole(kernel, va, heap_object_bytes(kernel->heap, id));
}

static int compare_rules(const void *a, const void *b)
{
	const struct kernel_rule *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_holes(const void *a, const void *b)
{
	const struct kernel_hole *x = a, *y = b;

	return (x->start_va > y->start_va) - (x->start_va < y->start_va);
}

/* Two rules for one object: one of them is wrong, and all is scanned.  (Holes
 * of one object share a rule.) */
static void drop_double_rules(struct kernel *kernel)
{
	struct kernel_rule *rules = kernel->rules.data;
	size_t i, j, n = 0;

	for (i = 0; i < kernel->rules.size; i = j) {
		bool same = true;

		for (j = i + 1; j < kernel->rules.size; j++) {
			if (rules[j].id != rules[i].id)
				break;
			same = same && rules[i].kind == SCAN_HOLES &&
			       rules[j].kind == SCAN_HOLES;
		}
		if (same)
			rules[n++] = rules[i];
	}
	kernel->rules.size = n;
}

static void merge_holes(struct kernel *kernel)
{
	struct kernel_hole *holes = kernel->holes.data;
	size_t i, n = 0;

	for (i = 0; i < kernel->holes.size; i++) {
		if (n && holes[i].start_va <= holes[n - 1].end_va)
			holes[n - 1].end_va = MAX(holes[n - 1].end_va,
						  holes[i].end_va);
		else
			holes[n++] = holes[i];
	}
	kernel->holes.size = n;
}

void kernel_sort_rules(struct kernel *kernel)
{
	if (kernel->rules.size)
		qsort(kernel->rules.data, kernel->rules.size,
		      sizeof(*kernel->rules.data), compare_rules);
	drop_double_rules(kernel);
	if (kernel->holes.size)
		qsort(kernel->holes.data, kernel->holes.size,
		      sizeof(*kernel->holes.data), compare_holes);
	merge_holes(kernel);
}
