// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/behind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/record.h"
#include "kernel/symbol.h"

#define PAGE_BYTES 4096u
/* The boot allocator hands out cache lines (SMP_CACHE_BYTES). */
#define START_ALIGN 64u

struct search {
	struct kernel *kernel;
	VEC(struct kernel_start) starts;
	/* Runs of reserved pages, which are not the image's; by address. */
	const struct kernel_root **runs;
	size_t n_runs;
};

static int compare_runs(const void *a, const void *b)
{
	const struct kernel_root *x = *(const struct kernel_root *const *)a;
	const struct kernel_root *y = *(const struct kernel_root *const *)b;

	return (x->start_va > y->start_va) - (x->start_va < y->start_va);
}

static struct kml_error *find_runs(struct search *s)
{
	const struct kernel *kernel = s->kernel;
	size_t i;

	s->runs = calloc(kernel->roots.size + 1, sizeof(*s->runs));
	if (!s->runs)
		return error_nomem();
	for (i = 0; i < kernel->roots.size; i++) {
		if (kernel->roots.data[i].kind == ROOT_RESERVED)
			s->runs[s->n_runs++] = &kernel->roots.data[i];
	}
	if (s->n_runs)
		qsort(s->runs, s->n_runs, sizeof(*s->runs), compare_runs);
	return NULL;
}

/* Where the run of reserved pages ends that @va is in; 0: it is in none. */
static uint64_t run_end(const struct search *s, uint64_t va)
{
	size_t lo = partition_point(s->n_runs, mid,
				    s->runs[mid]->start_va <= va);

	if (!lo || va - s->runs[lo - 1]->start_va >= s->runs[lo - 1]->bytes)
		return 0;
	return s->runs[lo - 1]->start_va + s->runs[lo - 1]->bytes;
}

/* Where the vmalloc area or page block ends that starts at @va. */
static uint64_t object_end(const struct search *s, uint64_t va)
{
	const struct heap *heap = s->kernel->heap;
	uint32_t index = heap_find_region(heap, va);
	const struct heap_region *r;

	if (index == HEAP_NONE)
		return 0;
	r = &heap->regions.data[index];
	if (r->va != va || r->flags & (HEAP_ALIAS | HEAP_NO_SCAN | HEAP_ROOT) ||
	    (r->kind != HEAP_VMALLOC && r->kind != HEAP_PAGES))
		return 0;
	return va + r->object_bytes;
}

/* Stacks lie between variables, and what else is done with. */
static bool is_in_hole(const struct kernel *kernel, uint64_t va)
{
	const struct kernel_hole *holes = kernel->holes.data;
	size_t lo = partition_point(kernel->holes.size, mid,
				    holes[mid].start_va <= va);

	return lo && va < holes[lo - 1].end_va;
}

static struct kml_error *look_at_word(struct search *s, uint64_t word_va,
				      uint64_t word)
{
	const struct kernel *kernel = s->kernel;
	struct kernel_start start = { .va = word, .variable_va = word_va };

	/* Where the direct map begins nobody was given memory. */
	if (word % START_ALIGN || word == kernel->direct_va)
		return NULL;
	if (kernel_is_direct(kernel, word) &&
	    kernel->page_class[(word - kernel->direct_va) / PAGE_BYTES] ==
		    PAGE_RESERVED)
		start.end_va = run_end(s, word);
	else if (kernel_is_direct(kernel, word) ||
		 (word >= kernel->vmalloc_va && word < kernel->vmalloc_end_va))
		start.end_va = object_end(s, word);
	if (start.end_va && !is_in_hole(kernel, word_va) &&
	    !vec_push(&s->starts, start))
		return error_nomem();
	return NULL;
}

/* What the dump lacks names nothing. */
static struct kml_error *look_at_page(struct search *s, uint64_t start_va,
				      uint64_t end_va)
{
	uint64_t words[PAGE_BYTES / 8];
	_cleanup_error_ struct kml_error *error = NULL;
	struct kml_error *failed = NULL;
	uint64_t i;

	error = image_read_va(s->kernel->image, start_va, words,
			      end_va - start_va);
	for (i = 0; !error && !failed && i < (end_va - start_va) / 8; i++)
		failed = look_at_word(s, start_va + i * 8, words[i]);
	return failed;
}

/* @start_pa, if not NULL: pages that were given back are somebody else's. */
static struct kml_error *look_at(struct search *s, uint64_t start_va,
				 uint64_t bytes, const uint64_t *start_pa)
{
	uint64_t va = align_up(start_va, 8);
	uint64_t end = align_down(start_va + bytes, 8), next, pfn;
	struct kml_error *error = NULL;

	for (; !error && va < end; va = next) {
		next = MIN(align_down(va, PAGE_BYTES) + PAGE_BYTES, end);
		pfn = start_pa ? (*start_pa + (va - start_va)) / PAGE_BYTES : 0;
		if (start_pa && (pfn >= s->kernel->end_pfn ||
				 s->kernel->page_class[pfn] != PAGE_RESERVED))
			continue;
		error = look_at_page(s, va, next);
	}
	return error;
}

static struct kml_error *look_at_variables(struct search *s)
{
	const struct kernel *kernel = s->kernel;
	struct kml_error *error = NULL;
	unsigned part;
	size_t i;

	for (i = 0; !error && i < kernel->roots.size; i++) {
		const struct kernel_root *root = &kernel->roots.data[i];

		if (root->kind == ROOT_SECTION)
			error = look_at(s, root->start_va, root->bytes,
					&root->start_pa);
	}
	for (i = 0; !error && i < kernel->modules.size; i++) {
		const struct kernel_module *m = &kernel->modules.data[i];

		for (part = 0; !error && part < m->n_parts; part++) {
			uint64_t skip = m->part_text_bytes[part];

			error = look_at(s, m->part_va[part] + skip,
					m->part_bytes[part] - skip, NULL);
		}
	}
	return error;
}

static int compare_starts(const void *a, const void *b)
{
	const struct kernel_start *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return (x->variable_va > y->variable_va) -
	       (x->variable_va < y->variable_va);
}

/* Each start once, up to the next one. */
static void tidy(struct search *s)
{
	struct kernel_start *starts = s->starts.data;
	size_t i, n = 0;

	if (!s->starts.size)
		return;
	qsort(starts, s->starts.size, sizeof(*starts), compare_starts);
	for (i = 0; i < s->starts.size; i++) {
		if (n && starts[n - 1].va == starts[i].va)
			continue;
		if (n)
			starts[n - 1].end_va =
				MIN(starts[n - 1].end_va, starts[i].va);
		starts[n++] = starts[i];
	}
	s->starts.size = n;
}

struct kml_error *kernel_load_behind(struct kernel *kernel)
{
	struct search s = { .kernel = kernel };
	struct kml_error *error;
	bool paused;

	/* Without an image, in tests, there is nothing to find. */
	if (kernel->starts_known || !kernel->image)
		return NULL;
	error = find_runs(&s);
	/* A snapshot keeps what was found, not what it was found in. */
	paused = image_record_pause(kernel->image, true);
	if (!error)
		error = look_at_variables(&s);
	image_record_pause(kernel->image, paused);
	free(s.runs);
	if (error) {
		vec_deinit(&s.starts);
		return error;
	}
	tidy(&s);
	memcpy(&kernel->starts, &s.starts, sizeof(kernel->starts));
	kernel->starts_known = true;
	return NULL;
}

struct kml_error *kernel_find_behind(struct kernel *kernel, uint64_t va,
				     bool *found_ret, struct kernel_behind *ret)
{
	struct kml_error *error = kernel_load_behind(kernel);
	const struct kernel_start *starts = kernel->starts.data;
	size_t lo;

	*found_ret = false;
	if (error)
		return error;
	lo = partition_point(kernel->starts.size, mid, starts[mid].va <= va);
	if (!lo || va >= starts[lo - 1].end_va)
		return NULL;
	*found_ret = true;
	*ret = (struct kernel_behind){
		.start_va = starts[lo - 1].va,
		.end_va = starts[lo - 1].end_va,
		.variable_va = starts[lo - 1].variable_va,
		.offset = va - starts[lo - 1].va,
	};
	return NULL;
}

void kernel_format_behind(struct kernel *kernel,
			  const struct kernel_behind *behind, char *ret,
			  size_t bytes)
{
	struct kernel_symbol_name symbol;

	if (kernel_symbolize(kernel, behind->variable_va, &symbol) &&
	    !symbol.offset && !symbol.is_behind)
		snprintf(ret, bytes, "%s%s%s%s", symbol.name,
			 symbol.module ? " [" : "",
			 symbol.module ? symbol.module : "",
			 symbol.module ? "]" : "");
	else
		kernel_format_symbol(kernel, behind->variable_va, ret, bytes);
}
