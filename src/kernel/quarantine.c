// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KASAN's quarantine (55834c59098d, since Linux 4.7): what is freed is kept for
 * a while before SLUB gets it back, 1/32 of all memory at most.  For its slab
 * such an object is in use; it is in a chain through the struct kasan_free_meta
 * of each, which lies in the object or behind it.  Each CPU has a chain, what
 * is too much for these is in an array of them.
 */
#include "kernel/quarantine.h"

#include "base/util.h"

/* KASAN_NO_FREE_META, since Linux 5.11 (97593cad003c); 0: in the object. */
#define NO_FREE_META INT32_MAX
/* QUARANTINE_BATCHES: 1024, or four for each CPU. */
#define MAX_LISTS 65536u

static bool load_layout(struct kernel *kernel, struct quarantine *q)
{
	const struct profile *p = kernel->profile;

	q->objects_left = kernel->heap->n_ids;
	return profile_member(p, "qlist_head", "head", &q->head) &&
	       profile_member(p, "qlist_head", "tail", &q->tail) &&
	       profile_type_size(p, "qlist_head", &q->list_bytes) &&
	       q->list_bytes &&
	       profile_member(p, "kasan_free_meta", "quarantine_link",
			      &q->link) &&
	       profile_member(p, "kmem_cache", "kasan_info.free_meta_offset",
			      &q->meta_offset);
}

/* The link at @va is that of a slab object: mark this. */
static struct kml_error *take_object(struct kernel *kernel,
				     struct quarantine *q, uint64_t va)
{
	uint32_t index = heap_find_region(kernel->heap, va), id;
	const struct heap_region *r;
	struct kml_error *error;
	uint64_t offset;

	r = index == HEAP_NONE ? NULL : &kernel->heap->regions.data[index];
	if (!r || r->kind != HEAP_SLAB)
		return error_at(KML_ERR_CORRUPT, va, "no slab object");
	error = kernel_read_uint(kernel,
				 kernel->caches.data[r->owner].va +
					 q->meta_offset.offset,
				 4, &offset);
	if (error)
		return error;
	offset += q->link.offset;
	if (offset >= NO_FREE_META)
		return error_at(KML_ERR_CORRUPT, va, "not of its cache");
	id = heap_region_object(kernel->heap, r, va - offset);
	if (id == HEAP_NONE || heap_object_va(kernel->heap, id) != va - offset ||
	    bitmap_test(kernel->heap->quarantined, id) || !q->objects_left)
		return error_at(KML_ERR_CORRUPT, va, "no object, or a cycle");
	q->objects_left--;
	bitmap_set(kernel->heap->free, id);
	bitmap_set(kernel->heap->quarantined, id);
	return NULL;
}

/* The last one's link may not have been cleared yet: qlist_put(). */
struct kml_error *quarantine_walk(struct kernel *kernel, struct quarantine *q,
				  uint64_t list_va)
{
	uint64_t va, tail = 0;
	struct kml_error *error;

	error = kernel_read_u64(kernel, list_va + q->head.offset, &va);
	if (!error)
		error = kernel_read_u64(kernel, list_va + q->tail.offset,
					&tail);
	while (!error && va) {
		error = take_object(kernel, q, va);
		if (error || va == tail)
			break;
		error = kernel_read_u64(kernel, va, &va);
	}
	/* What comes behind is taken for live, and nothing refers to it. */
	return kernel_forgive(kernel, error, "lists of KASAN's quarantine",
			      list_va);
}

/* The lists at @va, which hold nothing either. */
static struct kml_error *load_lists(struct kernel *kernel,
				    struct quarantine *q, uint64_t va,
				    uint64_t n)
{
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < n; i++)
		error = quarantine_walk(kernel, q, va + i * q->list_bytes);
	if (error)
		return error;
	kernel_cite(kernel, BUILTIN_KASAN_QUARANTINE);
	return kernel_add_hole(kernel, va, n * q->list_bytes);
}

static struct kml_error *load_percpu(struct kernel *kernel,
				     struct quarantine *q, const char *name,
				     uint64_t offset)
{
	struct kml_error *error = NULL;
	uint64_t va;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, name, &va))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = load_lists(kernel, q,
					   va + kernel->cpu_offset[cpu] +
						   offset, 1);
	}
	return error;
}

struct kml_error *kernel_load_quarantine(struct kernel *kernel)
{
	const char *name = "global_quarantine";
	struct profile_member shrink;
	struct kml_error *error;
	struct quarantine q;
	uint64_t va, bytes;

	if (!kernel_has_symbol(kernel, name, &va) ||
	    !profile_symbol(kernel->profile, name, &(uint64_t){ 0 }, &bytes) ||
	    !load_layout(kernel, &q))
		return NULL;
	error = load_percpu(kernel, &q, "cpu_quarantine", 0);
	/* What goes as its cache does */
	if (!error && profile_member(kernel->profile, "cpu_shrink_qlist",
				     "qlist", &shrink))
		error = load_percpu(kernel, &q, "shrink_qlist", shrink.offset);
	if (!error)
		error = load_lists(kernel, &q, va,
				   MIN(bytes / q.list_bytes, MAX_LISTS));
	return error;
}
