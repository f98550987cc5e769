// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The object index.  Its search trees are not kept: they are made again of the
 * regions, which thereby are checked as those of a dump are.
 */
#include <stdlib.h>

#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct heap_region, 56);
archive_covers(struct heap_block, 8);
archive_covers(struct heap, 248);

static void archive_block(struct archive *a, struct heap_block *block,
			  uint32_t *end)
{
	uint32_t gap = block->offset - *end;

	archive_u32(a, &gap);
	archive_u32(a, &block->bytes);
	if (!a->loading) {
		*end = block->offset + block->bytes;
		return;
	}
	archive_check(a, !__builtin_add_overflow(*end, gap, &block->offset) &&
		      !__builtin_add_overflow(block->offset, block->bytes, end),
		      "a per-cpu block");
}

static void archive_chunk(struct archive *a, struct heap_chunk *chunk)
{
	uint32_t end = 0;

	archive_list(a, &chunk->blocks, &chunk->n_blocks, archive_block, &end);
}

static void archive_region(struct archive *a, struct heap_region *region,
			   uint64_t *last)
{
	archive_delta(a, &region->va, last);
	archive_u64(a, &region->bytes);
	archive_u64(a, &region->object_bytes);
	archive_u32(a, &region->slot_bytes);
	archive_u32(a, &region->pad_bytes);
	archive_u32(a, &region->n_objects);
	if (region->flags & HEAP_ALIAS)
		archive_u32(a, &region->first_id);
	archive_u32(a, &region->owner);
}

/* The owner is what its kind says, and the objects lie in the region. */
static bool region_is_sane(const struct kml_analysis *analysis,
			   const struct heap_region *r)
{
	const struct kernel *kernel = &analysis->kernel;
	uint64_t end;

	if (__builtin_add_overflow(r->va, r->bytes, &end) ||
	    (r->kind != HEAP_PERCPU &&
	     (!r->n_objects || r->object_bytes > r->bytes)) ||
	    (uint64_t)r->slot_bytes * r->n_objects > r->bytes)
		return false;
	switch (r->kind) {
	case HEAP_SLAB:
		return r->slot_bytes && r->owner < kernel->caches.size &&
		       r->pad_bytes + r->object_bytes <= r->slot_bytes;
	case HEAP_PAGES:
		return true;
	case HEAP_VMALLOC:
	case HEAP_VMAP:
	case HEAP_IOREMAP:
		return r->owner < kernel->areas.size;
	case HEAP_PERCPU:
		return !r->slot_bytes &&
		       r->owner < analysis->heap.chunks.size &&
		       r->n_objects == analysis->heap.chunks.data[r->owner]
						.n_blocks;
	default:
		return false;
	}
}

static struct kml_error *add_region(struct kml_analysis *analysis,
				    struct heap_region region)
{
	struct kml_error *error;
	uint32_t index;

	if (!region_is_sane(analysis, &region))
		return error_at(KML_ERR_CORRUPT, region.va,
				"the snapshot is damaged: a region makes no sense");
	error = heap_add(&analysis->heap, &region, &index);
	return error ? error_prefix(error, "the snapshot is damaged") : NULL;
}

static void archive_regions(struct archive *a, struct kml_analysis *analysis)
{
	struct heap *heap = &analysis->heap;
	uint64_t n = heap->regions.size, i, last = 0;

	archive_count(a, &n, 8, UINT32_MAX);
	for (i = 0; i < n && !a->failed; i++) {
		struct heap_region region = { 0 };

		if (!a->loading)
			region = heap->regions.data[i];
		archive_u8(a, &region.kind);
		archive_u8(a, &region.flags);
		archive_region(a, &region, &last);
		if (a->loading && !a->failed) {
			struct kml_error *error = add_region(analysis, region);

			if (error)
				archive_fail(a, error);
		}
	}
}

/* Other addresses of objects are of objects that there are. */
static void check_aliases(struct archive *a, const struct heap *heap)
{
	size_t i;

	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		archive_check(a, r->first_id <= heap->n_ids &&
			      r->n_objects <= heap->n_ids - r->first_id,
			      "a region");
	}
}

static void archive_radix(struct archive *a, struct heap_radix *radix)
{
	uint64_t start = radix->start_va, end = radix->end_va;
	struct kml_error *error;
	bool is_there = radix->top;

	archive_bool(a, &is_there);
	archive_u64(a, &start);
	archive_u64(a, &end);
	if (!a->loading || a->failed || !is_there)
		return;
	error = heap_init_radix(radix, start, end);
	if (error)
		archive_fail(a, error);
}

static void archive_trees(struct archive *a, struct kml_analysis *analysis)
{
	const struct kernel *kernel = &analysis->kernel;
	struct heap *heap = &analysis->heap;
	struct kml_error *error;

	if (a->loading && !a->failed) {
		error = heap_init(heap, kernel->direct_va, kernel->end_pfn,
				  kernel->vmemmap_va,
				  kernel->page_struct_bytes);
		if (error)
			archive_fail(a, error);
	}
	archive_radix(a, &heap->vmalloc);
	archive_radix(a, &heap->modules);
	archive_radix(a, &heap->percpu_first);
	archive_radix(a, &heap->percpu);
}

static void archive_states(struct archive *a, uint64_t **map, uint64_t n)
{
	/* heap_seal() has made one. */
	if (a->loading)
		free(take_ptr(*map));
	archive_bitmap(a, map, n);
	archive_check(a, *map, "the states of objects");
}

void archive_heap(struct archive *a, struct snapshot *snapshot)
{
	struct heap *heap = &snapshot->analysis->heap;
	struct kml_error *error;

	archive_trees(a, snapshot->analysis);
	archive_vec(a, &heap->chunks, archive_chunk);
	archive_regions(a, snapshot->analysis);
	check_aliases(a, heap);
	if (a->loading && !a->failed) {
		error = heap_seal(heap);
		if (error)
			archive_fail(a, error);
	}
	archive_states(a, &heap->free, heap->n_ids);
	archive_states(a, &heap->cached, heap->n_ids);
	archive_states(a, &heap->unreadable, heap->n_ids);
	archive_states(a, &heap->torn, heap->n_ids);
	archive_states(a, &heap->waiting, heap->n_ids);
	archive_states(a, &heap->quarantined, heap->n_ids);
}
