// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/caches.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "report/summary.h"

/* vm_struct.flags, linux/vmalloc.h; see also vm_flags[] */
#define VM_ALLOC 0x2u

const char *const page_class_names[PAGE_CLASSES] = {
	[PAGE_HOLE] = "hole",         [PAGE_FREE] = "free",
	[PAGE_PCP] = "pcp",           [PAGE_IDLE] = "idle",
	[PAGE_USER] = "user",         [PAGE_SLAB] = "slab",
	[PAGE_BLOCK] = "block",       [PAGE_RESERVED] = "reserved",
	[PAGE_TABLE] = "page-table",  [PAGE_VMEMMAP] = "vmemmap",
	[PAGE_SHADOW] = "kasan-shadow",
	[PAGE_MAPPED] = "mapped",
};

static int compare_rows(const void *a, const void *b)
{
	const struct cache_row *x = a, *y = b;
	int order;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	order = strcmp(x->cache->name, y->cache->name);
	if (order)
		return order;
	return (x->cache->va > y->cache->va) - (x->cache->va < y->cache->va);
}

static void count_region(const struct heap *heap,
			 const struct heap_region *region,
			 struct cache_row *row)
{
	uint32_t id, end = region->first_id + region->n_objects;

	for (id = region->first_id; id < end; id++) {
		if (bitmap_test(heap->cached, id))
			row->cached++;
		else if (bitmap_test(heap->free, id))
			row->free++;
		else if (!heap_is_allocated(heap, id))
			row->doubt++;
		else
			row->active++;
	}
}

struct cache_row *caches_rows(struct report *report)
{
	const struct kernel *kernel = report->kernel;
	const struct heap *heap = report->heap;
	size_t n = kernel->caches.size, i;
	struct cache_row *rows = calloc(n + 1, sizeof(*rows));

	if (!rows) {
		writer_fail(&report->writer, error_nomem());
		return NULL;
	}
	for (i = 0; i < n; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];

		rows[i].cache = cache;
		rows[i].bytes = cache->n_pages * 4096;
		rows[i].slabinfo = cache->n_objects - cache->n_node_free;
	}
	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *region = &heap->regions.data[i];

		if (region->kind == HEAP_SLAB && !(region->flags & HEAP_ALIAS))
			count_region(heap, region, &rows[region->owner]);
	}
	if (n)
		qsort(rows, n, sizeof(*rows), compare_rows);
	return rows;
}

struct cache_row caches_total(const struct cache_row *rows, size_t n)
{
	struct cache_row total = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		total.active += rows[i].active;
		total.free += rows[i].free;
		total.cached += rows[i].cached;
		total.doubt += rows[i].doubt;
		total.slabinfo += rows[i].slabinfo;
		total.bytes += rows[i].bytes;
	}
	return total;
}

struct percpu_total caches_percpu(const struct report *report)
{
	const struct kernel *kernel = report->kernel;
	struct percpu_total total = {
		.cpus = summary_cpus(kernel),
		.chunks = kernel->percpu_chunks,
		.unit_bytes = kernel->percpu_units_bytes,
	};
	size_t i;
	uint32_t j;

	total.populated_bytes =
		kernel->percpu_populated_pages * 4096 * total.cpus;
	for (i = 0; i < report->heap->chunks.size; i++) {
		const struct heap_chunk *chunk = &report->heap->chunks.data[i];

		total.blocks += chunk->n_blocks;
		for (j = 0; j < chunk->n_blocks; j++)
			total.bytes += chunk->blocks[j].bytes;
	}
	return total;
}

uint64_t caches_vmalloc_bytes(const struct report *report)
{
	uint64_t pages = 0;
	size_t i;

	/* vmap() may have been given the pages, which others allocated. */
	for (i = 0; i < report->kernel->areas.size; i++) {
		const struct kernel_area *area = &report->kernel->areas.data[i];

		if (area->flags & VM_ALLOC)
			pages += area->n_pages;
	}
	return pages * 4096;
}

static const struct {
	uint64_t flag;
	const char *word;
} vm_flags[] = {
	{ 0x1, "ioremap" }, { VM_ALLOC, "vmalloc" },     { 0x4, "vmap" },
	{ 0x8, "user" },    { 0x10, "dma-coherent" },
};

void caches_area_words(const struct report *report,
		       const struct kernel_area *area,
		       char ret[AREA_WORDS_BYTES])
{
	const struct kernel *kernel = report->kernel;
	size_t n = 0, i;

	ret[0] = '\0';
	if (area->n_pages)
		n += (size_t)snprintf(ret + n, AREA_WORDS_BYTES - n,
				      " pages=%" PRIu32, area->n_pages);
	if (area->phys_pa)
		n += (size_t)snprintf(ret + n, AREA_WORDS_BYTES - n,
				      " phys=0x%016" PRIx64, area->phys_pa);
	for (i = 0; i < ARRAY_SIZE(vm_flags); i++) {
		if (area->flags & vm_flags[i].flag)
			n += (size_t)snprintf(ret + n, AREA_WORDS_BYTES - n,
					      " %s", vm_flags[i].word);
	}
	if (area->pages_va >= kernel->vmalloc_va &&
	    area->pages_va < kernel->vmalloc_end_va)
		snprintf(ret + n, AREA_WORDS_BYTES - n, " vpages");
	else if (!area->vm_va)
		snprintf(ret + n, AREA_WORDS_BYTES - n, " vm_map_ram");
}
