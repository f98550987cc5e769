// SPDX-License-Identifier: GPL-2.0-or-later
#include "heap/heap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"

#define GIB (UINT64_C(1) << 30)
/* No machine has more; a hostile dump must not make us allocate more. */
#define MAX_RADIX_BYTES (UINT64_C(1) << 57)

const char *const heap_kind_names[HEAP_KINDS] = {
	[HEAP_SLAB] = "slab",       [HEAP_PAGES] = "pages",
	[HEAP_VMALLOC] = "vmalloc", [HEAP_VMAP] = "vmap",
	[HEAP_IOREMAP] = "ioremap", [HEAP_PERCPU] = "percpu",
};

struct kml_error *heap_init_radix(struct heap_radix *radix, uint64_t start_va,
				  uint64_t end_va)
{
	radix->start_va = align_down(start_va, GIB);
	radix->end_va = end_va;
	if (end_va < start_va || end_va - radix->start_va > MAX_RADIX_BYTES)
		return error_at(KML_ERR_CORRUPT, start_va,
				"address range 0x%" PRIx64 "-0x%" PRIx64
				" makes no sense", start_va, end_va);
	/* Untouched parts of the top level cost no memory. */
	radix->top = calloc((end_va - radix->start_va) / GIB + 1,
			    sizeof(*radix->top));
	return radix->top ? NULL : error_nomem();
}

static void radix_deinit(struct heap_radix *radix)
{
	uint64_t n = radix->top ? (radix->end_va - radix->start_va) / GIB + 1 : 0;
	uint64_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; radix->top[i] && j < 512; j++)
			free(radix->top[i][j]);
		free(radix->top[i]);
	}
	free(radix->top);
}

static bool radix_covers(const struct heap_radix *radix, uint64_t va)
{
	return radix->top && va >= radix->start_va && va < radix->end_va;
}

/* The entry of a page, made if need be; NULL: no memory. */
static uint32_t *radix_entry(struct heap_radix *radix, uint64_t va)
{
	uint64_t page = (va - radix->start_va) >> 12;
	uint32_t ***mid = &radix->top[page >> 18], **leaf;

	if (!*mid) {
		*mid = calloc(512, sizeof(**mid));
		if (!*mid)
			return NULL;
	}
	leaf = &(*mid)[page >> 9 & 511];
	if (!*leaf) {
		*leaf = malloc(512 * sizeof(**leaf));
		if (!*leaf)
			return NULL;
		memset(*leaf, 0xff, 512 * sizeof(**leaf));
	}
	return &(*leaf)[page & 511];
}

struct kml_error *heap_init(struct heap *heap, uint64_t direct_va,
			    uint64_t end_pfn, uint64_t vmemmap_va,
			    uint64_t page_struct_bytes)
{
	memset(heap, 0, sizeof(*heap));
	heap->direct_va = direct_va;
	heap->end_pfn = end_pfn;
	heap->vmemmap_va = vmemmap_va;
	heap->page_struct_bytes = page_struct_bytes;
	heap->pfn_region = huge_malloc(end_pfn, sizeof(*heap->pfn_region));
	if (!heap->pfn_region)
		return error_nomem();
	memset(heap->pfn_region, 0xff, end_pfn * sizeof(*heap->pfn_region));
	return NULL;
}

void heap_deinit(struct heap *heap)
{
	size_t i;

	for (i = 0; i < heap->chunks.size; i++)
		free(heap->chunks.data[i].blocks);
	vec_deinit(&heap->chunks);
	vec_deinit(&heap->regions);
	free(heap->pfn_region);
	radix_deinit(&heap->vmalloc);
	radix_deinit(&heap->modules);
	radix_deinit(&heap->percpu_first);
	radix_deinit(&heap->percpu);
	free(heap->id_page);
	free(heap->free);
	free(heap->cached);
	free(heap->unreadable);
	free(heap->torn);
	free(heap->waiting);
	free(heap->quarantined);
}

static struct heap_radix *radix_of(struct heap *heap, uint64_t va)
{
	if (radix_covers(&heap->vmalloc, va))
		return &heap->vmalloc;
	if (radix_covers(&heap->modules, va))
		return &heap->modules;
	if (radix_covers(&heap->percpu_first, va))
		return &heap->percpu_first;
	if (radix_covers(&heap->percpu, va))
		return &heap->percpu;
	return NULL;
}

/* The tree's entry for the page of @va; NULL and no error: not covered. */
static struct kml_error *page_entry(struct heap *heap, uint64_t va,
				    uint32_t **ret)
{
	uint64_t pfn = (va - heap->direct_va) >> 12;
	struct heap_radix *radix;

	if (pfn < heap->end_pfn) {
		*ret = &heap->pfn_region[pfn];
		return NULL;
	}
	radix = radix_of(heap, va);
	if (!radix)
		return error_at(KML_ERR_CORRUPT, va,
				"0x%" PRIx64 " lies outside of the kernel's address ranges",
				va);
	*ret = radix_entry(radix, va);
	return *ret ? NULL : error_nomem();
}

struct kml_error *heap_add(struct heap *heap, struct heap_region *region,
			   uint32_t *index_ret)
{
	uint64_t start = align_down(region->va, 4096), va;
	uint64_t end = align_up(region->va + region->bytes, 4096);
	uint32_t index = (uint32_t)heap->regions.size;
	struct kml_error *error;
	uint32_t *entry;

	if (region->bytes == 0 || end <= start)
		return error_at(KML_ERR_CORRUPT, region->va,
				"region at 0x%" PRIx64 " has a size of 0x%" PRIx64,
				region->va, region->bytes);
	if (heap->regions.size >= HEAP_NONE - 1 ||
	    (uint64_t)heap->n_ids + region->n_objects >= HEAP_NONE)
		return error_new(KML_ERR_UNSUPPORTED,
				 "more than 4294967294 objects");
	if (!vec_reserve(&heap->regions, 1))
		return error_nomem();
	for (va = start; va != end; va += 4096) {
		error = page_entry(heap, va, &entry);
		if (error)
			goto undo;
		if (*entry != HEAP_NONE) {
			error = error_at(KML_ERR_CORRUPT, va,
					 "0x%" PRIx64 " belongs to two regions", va);
			goto undo;
		}
		*entry = index;
	}
	if (!(region->flags & HEAP_ALIAS)) {
		region->first_id = heap->n_ids;
		heap->n_ids += region->n_objects;
	}
	if (region->slot_bytes)
		region->reciprocal = (uint32_t)(((UINT64_C(1) << 32) +
						 region->slot_bytes - 1) /
						region->slot_bytes);
	heap->regions.data[heap->regions.size++] = *region;
	*index_ret = index;
	return NULL;
undo:
	while (va != start) {
		va -= 4096;
		if (!page_entry(heap, va, &entry))
			*entry = HEAP_NONE;
	}
	return error;
}

struct kml_error *heap_seal(struct heap *heap)
{
	uint32_t index, next = 0, n_pages = heap->n_ids / HEAP_ID_PAGE + 1;

	heap->id_page = calloc(n_pages, sizeof(*heap->id_page));
	heap->free = bitmap_alloc(heap->n_ids);
	heap->cached = bitmap_alloc(heap->n_ids);
	heap->unreadable = bitmap_alloc(heap->n_ids);
	heap->torn = bitmap_alloc(heap->n_ids);
	heap->waiting = bitmap_alloc(heap->n_ids);
	heap->quarantined = bitmap_alloc(heap->n_ids);
	if (!heap->id_page || !heap->free || !heap->cached ||
	    !heap->unreadable || !heap->torn || !heap->waiting ||
	    !heap->quarantined)
		return error_nomem();
	for (index = 0; index < heap->regions.size; index++) {
		const struct heap_region *r = &heap->regions.data[index];

		if (r->flags & HEAP_ALIAS || !r->n_objects)
			continue;
		for (; (uint64_t)next * HEAP_ID_PAGE < (uint64_t)r->first_id + r->n_objects;
		     next++)
			heap->id_page[next] = index;
	}
	return NULL;
}

static uint32_t find_percpu(const struct heap *heap, uint64_t va)
{
	if (radix_covers(&heap->percpu_first, va))
		return heap_radix_find(&heap->percpu_first, va);
	if (radix_covers(&heap->percpu, va))
		return heap_radix_find(&heap->percpu, va);
	return HEAP_NONE;
}

uint32_t heap_find_region(const struct heap *heap, uint64_t va)
{
	uint64_t pfn = (va - heap->direct_va) >> 12;

	if (pfn < heap->end_pfn)
		return heap->pfn_region[pfn];
	if (radix_covers(&heap->vmalloc, va))
		return heap_radix_find(&heap->vmalloc, va);
	if (radix_covers(&heap->modules, va))
		return heap_radix_find(&heap->modules, va);
	return find_percpu(heap, va);
}

/* The per-cpu block that an offset into a unit lies in. */
static uint32_t chunk_block(const struct heap_chunk *chunk, uint64_t offset)
{
	uint32_t lo = partition_point(chunk->n_blocks, mid,
				      chunk->blocks[mid].offset <= offset);

	if (!lo || offset - chunk->blocks[lo - 1].offset >=
			   chunk->blocks[lo - 1].bytes)
		return HEAP_NONE;
	return lo - 1;
}

uint32_t heap_region_object(const struct heap *heap,
			    const struct heap_region *region, uint64_t va)
{
	uint64_t offset = va - region->va, i;

	if (region->slot_bytes) {
		i = offset * region->reciprocal >> 32;
		/* Rounding up may carry large offsets one slot too far. */
		if (i * region->slot_bytes > offset)
			i--;
		if (i >= region->n_objects ||
		    offset - i * region->slot_bytes - region->pad_bytes >=
			    region->object_bytes)
			return HEAP_NONE;
		return region->first_id + (uint32_t)i;
	}
	if (region->kind == HEAP_PERCPU) {
		uint32_t block = chunk_block(&heap->chunks.data[region->owner],
					     offset);

		return block == HEAP_NONE ? block : region->first_id + block;
	}
	return offset < region->object_bytes ? region->first_id : HEAP_NONE;
}

/* A struct page holds a page block; not a slab, whose objects it does not tell
 * apart. */
static uint32_t resolve_pfn(const struct heap *heap, uint64_t pfn)
{
	uint32_t index = heap_pfn_region(heap, pfn);

	if (index == HEAP_NONE || heap->regions.data[index].kind != HEAP_PAGES)
		return HEAP_NONE;
	return heap->regions.data[index].first_id;
}

/*
 * Some drivers keep nothing but a physical address (kvm_amd's iopm_base).  An
 * integer may well look like one, so only the very start of a block counts.
 */
static uint32_t resolve_physical(const struct heap *heap, uint64_t pa)
{
	uint32_t id = resolve_pfn(heap, pa >> 12);

	if (id == HEAP_NONE ||
	    heap->regions.data[heap->pfn_region[pa >> 12]].va !=
		    heap->direct_va + pa)
		return HEAP_NONE;
	return id;
}

uint32_t heap_resolve_other(const struct heap *heap, uint64_t word,
			    enum heap_reference *how_ret)
{
	uint64_t page;
	uint32_t index;

	if (word < 4096)
		return HEAP_NONE;
	page = (word - heap->vmemmap_va) / heap->page_struct_bytes;
	if (page < heap->end_pfn) {
		*how_ret = HEAP_REF_PAGE;
		return resolve_pfn(heap, page);
	}
	if (radix_covers(&heap->vmalloc, word)) {
		*how_ret = HEAP_REF_ADDRESS;
		index = heap_radix_find(&heap->vmalloc, word);
	} else if (radix_covers(&heap->modules, word)) {
		*how_ret = HEAP_REF_ADDRESS;
		index = heap_radix_find(&heap->modules, word);
	} else if ((index = find_percpu(heap, word)) != HEAP_NONE) {
		*how_ret = HEAP_REF_PERCPU;
	} else if (word % 4096 == 0) {
		*how_ret = HEAP_REF_PHYSICAL;
		return resolve_physical(heap, word);
	} else {
		return HEAP_NONE;
	}
	if (index == HEAP_NONE)
		return HEAP_NONE;
	return heap_region_object(heap, &heap->regions.data[index], word);
}

uint64_t heap_object_va(const struct heap *heap, uint32_t id)
{
	const struct heap_region *r = heap_region_of(heap, id);
	uint32_t i = id - r->first_id;

	if (r->kind == HEAP_PERCPU)
		return r->va + heap->chunks.data[r->owner].blocks[i].offset;
	return r->va + (uint64_t)i * r->slot_bytes + r->pad_bytes;
}

uint64_t heap_object_bytes(const struct heap *heap, uint32_t id)
{
	const struct heap_region *r = heap_region_of(heap, id);

	if (r->kind == HEAP_PERCPU)
		return heap->chunks.data[r->owner]
			.blocks[id - r->first_id].bytes;
	return r->object_bytes;
}
