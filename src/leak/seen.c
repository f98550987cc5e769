// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/seen.h"

#include <stdlib.h>

#include "base/util.h"

static int compare_extents(const void *a, const void *b)
{
	const struct seen_extent *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->record > y->record) - (x->record < y->record);
}

static struct kml_error *add_extent(struct seen_index *index, uint64_t start,
				    uint64_t bytes, uint32_t record)
{
	struct seen_extent extent = { start, start + bytes, record };

	return vec_push(&index->extents, extent) ? NULL : error_nomem();
}

static struct kml_error *add_record(struct seen_index *index, uint32_t i)
{
	const struct kernel *kernel = index->kernel;
	const struct kmemleak_record *r = &index->kmemleak->records.data[i];
	struct kml_error *error = NULL;
	unsigned cpu;

	if (r->flags & KMEMLEAK_PHYS)
		return add_extent(index, kernel->direct_va + r->pointer,
				  r->size, i);
	if (!(r->flags & KMEMLEAK_PERCPU))
		return add_extent(index, r->pointer, r->size, i);
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = add_extent(index,
					   r->pointer + kernel->cpu_offset[cpu],
					   r->size, i);
	}
	return error;
}

struct kml_error *seen_index_init(struct seen_index *index,
				  const struct kernel *kernel,
				  const struct kmemleak *kmemleak)
{
	struct kml_error *error = NULL;
	uint64_t start, end;
	uint32_t i;

	*index = (struct seen_index){ .kernel = kernel, .kmemleak = kmemleak };
	if (kernel_has_symbol(kernel, "__per_cpu_start", &start) &&
	    kernel_has_symbol(kernel, "__per_cpu_end", &end) && end > start)
		index->percpu_bytes = end - start;
	for (i = 0; !error && i < kmemleak->records.size; i++)
		error = add_record(index, i);
	if (error)
		return error;
	if (index->extents.size)
		qsort(index->extents.data, index->extents.size,
		      sizeof(*index->extents.data), compare_extents);
	return NULL;
}

void seen_index_deinit(struct seen_index *index)
{
	vec_deinit(&index->extents);
}

static const struct kmemleak_record *find_record(const struct seen_index *index,
						 uint64_t va)
{
	size_t lo = partition_point(index->extents.size, mid,
				    index->extents.data[mid].start <= va);

	/* kmemleak's objects do not overlap. */
	if (!lo || va >= index->extents.data[lo - 1].end)
		return NULL;
	return &index->kmemleak->records
			.data[index->extents.data[lo - 1].record];
}

static bool in_static_percpu(const struct seen_index *index, uint64_t va)
{
	const struct kernel *kernel = index->kernel;
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu] &&
		    va - kernel->percpu_start - kernel->cpu_offset[cpu] <
			    index->percpu_bytes)
			return true;
	}
	return false;
}

/* As scan_object() of mm/kmemleak.c picks what it scans. */
enum seen seen_word(const struct seen_index *index, uint64_t va)
{
	const struct kmemleak_record *r;
	unsigned i;

	if (in_static_percpu(index, va))
		return SEEN;
	r = find_record(index, va);
	if (!r)
		return SEEN_NO_RECORD;
	if (r->flags & KMEMLEAK_NO_SCAN ||
	    kmemleak_color(r) == KMEMLEAK_BLACK)
		return SEEN_NO_SCAN;
	if (kmemleak_color(r) == KMEMLEAK_WHITE)
		return SEEN_WHITE;
	if (!r->n_areas || r->flags & KMEMLEAK_FULL_SCAN)
		return SEEN;
	for (i = 0; i < r->n_areas; i++) {
		const struct kmemleak_area *area =
			&index->kmemleak->areas.data[r->first_area + i];

		if (va - area->start < area->size)
			return SEEN;
	}
	return SEEN_NOT_AREA;
}

/* ---- words that we leave out */

struct stale {
	const struct seen_index *index;
	struct kernel *kernel;
	const uint64_t *wanted;
	const uint32_t *slot;
	struct compare_word *out;
};

static void look_at_word(struct stale *s, uint64_t va, uint64_t value,
			 enum compare_place place, uint32_t owner)
{
	enum heap_reference how;
	struct compare_word *word;
	uint32_t id;

	if (value < 4096)
		return;
	id = heap_resolve(s->kernel->heap, value, &how);
	/* It knows no other references. */
	if (id == HEAP_NONE || !bitmap_test(s->wanted, id) ||
	    (how != HEAP_REF_ADDRESS && how != HEAP_REF_PERCPU))
		return;
	word = &s->out[s->slot[id]];
	if (word->place != PLACE_NONE)
		return;
	if (place != PLACE_STACK && place != PLACE_STRUCT_PAGE &&
	    seen_word(s->index, va) != SEEN)
		return;
	*word = (struct compare_word){
		.va = place == PLACE_STRUCT_PAGE ?
			      va - va % s->kernel->page_struct_bytes :
			      va,
		.source = HEAP_NONE,
		.owner = owner,
		.place = (uint8_t)place,
		.how = (uint8_t)how,
	};
}

static struct kml_error *look_at_range(struct stale *s, uint64_t start,
				       uint64_t end, enum compare_place place,
				       uint32_t owner)
{
	uint64_t words[512], va, i;

	for (va = align_up(start, 8); va + 8 <= end;) {
		uint64_t bytes = MIN(4096 - va % 4096, align_down(end - va, 8));
		struct kml_error *error;

		error = image_read_va(s->kernel->image, va, words, bytes);
		for (i = 0; !error && i < bytes / 8; i++)
			look_at_word(s, va + i * 8, words[i], place, owner);
		/* What is not there explains nothing, no more. */
		if (error && kml_error_code(error) != KML_ERR_NODATA &&
		    kml_error_code(error) != KML_ERR_CORRUPT)
			return error;
		kml_error_destroy(error);
		va += bytes;
	}
	return NULL;
}

/* What a rule leaves out of an object: see scan_object_part(). */
static struct kml_error *look_at_rule(struct stale *s,
				      const struct kernel_rule *rule)
{
	uint64_t va = heap_object_va(s->kernel->heap, rule->id);
	uint64_t bytes = heap_object_bytes(s->kernel->heap, rule->id);
	struct kml_error *error;

	if (rule->kind == SCAN_HEAD)
		return look_at_range(s, va + MIN(rule->skip_start, bytes),
				     va + bytes, PLACE_OBJECT, rule->id);
	error = look_at_range(s, va + MIN(rule->skip_start, bytes),
			      va + MIN(rule->skip_end, bytes), PLACE_OBJECT,
			      rule->id);
	return error ? error :
		       look_at_range(s, va + MIN(rule->skip2_start, bytes),
				     va + MIN(rule->skip2_end, bytes),
				     PLACE_OBJECT, rule->id);
}

static struct kml_error *look_at_stacks(struct stale *s)
{
	const struct kernel *kernel = s->kernel;
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < kernel->tasks.size; i++) {
		const struct kernel_task *task = &kernel->tasks.data[i];
		uint64_t end = kernel->stack_mode == KML_STACK_OFF ?
				       task->stack_va + kernel->thread_bytes :
				       task->sp;

		if (kernel->stack_mode != KML_STACK_WHOLE)
			error = look_at_range(s, task->stack_va, end,
					      PLACE_STACK, i);
	}
	return error;
}

static bool is_in_use(uint8_t class)
{
	return class != PAGE_HOLE && class != PAGE_FREE && class != PAGE_PCP &&
	       class != PAGE_IDLE;
}

/* kmemleak scans all words of the struct page of each page in use. */
static struct kml_error *look_at_struct_pages(struct stale *s)
{
	const struct kernel *kernel = s->kernel;
	uint64_t bytes = kernel->page_struct_bytes, pfn, end;
	struct kml_error *error = NULL;

	for (pfn = 0; !error && pfn < kernel->end_pfn; pfn = end) {
		end = pfn + 1;
		if (!is_in_use(kernel->page_class[pfn]))
			continue;
		while (end < kernel->end_pfn && end - pfn < 4096 &&
		       is_in_use(kernel->page_class[end]))
			end++;
		error = look_at_range(s, kernel->vmemmap_va + pfn * bytes,
				      kernel->vmemmap_va + end * bytes,
				      PLACE_STRUCT_PAGE, HEAP_NONE);
	}
	return error;
}

/* Objects that lie unused in mempools. */
static struct kml_error *look_at_idle(struct stale *s,
				      const struct graph *graph)
{
	struct kml_error *error = NULL;
	uint64_t id;

	for (id = bitmap_next(graph->idle, graph->n_objects, 0);
	     !error && id < graph->n_objects;
	     id = bitmap_next(graph->idle, graph->n_objects, id + 1)) {
		uint64_t va = heap_object_va(s->kernel->heap, (uint32_t)id);

		error = look_at_range(s, va, va + heap_object_bytes(s->kernel->heap, (uint32_t)id),
				      PLACE_OBJECT, (uint32_t)id);
	}
	return error;
}

/* What is behind the requested size of kmalloc() objects, where that is known:
 * see used_bytes() of scan_page.c. */
static struct kml_error *look_at_slack(struct stale *s)
{
	struct kernel *kernel = s->kernel;
	const struct heap *heap = kernel->heap;
	struct kml_error *error = NULL;
	size_t i;
	uint32_t j;

	for (i = 0; i < kernel->slabs.size; i++) {
		const struct heap_region *r =
			&heap->regions.data[kernel->slabs.data[i].region];
		const struct kernel_cache *cache =
			&kernel->caches.data[r->owner];
		uint32_t at = r->slot_bytes == cache->slot_bytes ?
				      cache->orig_size_offset :
				      0;

		for (j = 0; !error && at && j < r->n_objects; j++) {
			uint64_t va = heap_object_va(heap, r->first_id + j);
			uint64_t used;

			error = kernel_read_uint(kernel, va + at, 4, &used);
			error = kernel_forgive(kernel, error, "requested sizes",
					       va);
			if (!error && used && used < r->object_bytes)
				error = look_at_range(s, va + used,
						      va + r->object_bytes,
						      PLACE_OBJECT,
						      r->first_id + j);
		}
	}
	return error;
}

struct kml_error *seen_find_stale(struct seen_index *index,
				  struct kernel *kernel,
				  const struct graph *graph,
				  const uint64_t *wanted, const uint32_t *slot,
				  struct compare_word *ret)
{
	struct stale s = { index, kernel, wanted, slot, ret };
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < kernel->rules.size; i++)
		error = look_at_rule(&s, &kernel->rules.data[i]);
	for (i = 0; !error && i < kernel->holes.size; i++)
		error = look_at_range(&s, kernel->holes.data[i].start_va,
				      kernel->holes.data[i].end_va, PLACE_HOLE,
				      HEAP_NONE);
	if (!error)
		error = look_at_idle(&s, graph);
	if (!error)
		error = look_at_slack(&s);
	if (!error)
		error = look_at_stacks(&s);
	return error ? error : look_at_struct_pages(&s);
}
