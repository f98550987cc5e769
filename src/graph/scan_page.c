// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a page holds: objects of a slab, a part of a root, of a block, of an
 * area or of a CPU's unit, or struct pages.  A page is read only if it holds an
 * object or a root, and a slab by the chunk that its first page lies in.
 */
#include "graph/scan.h"

#include "base/util.h"
#include "kernel/slab_state.h"

static void note_gap(struct chunk *chunk, enum gap gap, uint64_t va)
{
	if (!chunk->gaps[gap]++)
		chunk->gap_va[gap] = va;
}

/* ---- slabs */

/* Of objects that are not scanned, the part that is all the same. */
static void scan_links(const struct scan *scan, struct chunk *chunk,
		       const struct heap_region *r, const char *slab)
{
	const struct kernel_cache *cache = &scan->kernel->caches.data[r->owner];
	uint32_t i;

	for (i = 0; i < r->n_objects; i++) {
		uint64_t at = (uint64_t)i * r->slot_bytes + r->pad_bytes;

		if (!bitmap_test(scan->heap->free, r->first_id + i))
			scan_bytes(scan, chunk, r->first_id + i, slab,
				   MIN(at + cache->link_start, r->bytes),
				   MIN(at + cache->link_end, r->bytes),
				   (int64_t)at);
	}
}

/* How much of an object is its user's: what was asked for, if that is recorded
 * and can be believed. */
static uint64_t used_bytes(const struct scan *scan,
			   const struct heap_region *r, const char *object)
{
	const struct kernel_cache *cache = &scan->kernel->caches.data[r->owner];
	uint32_t bytes = 0;

	/* KFENCE's objects are not laid out like the cache's. */
	if (cache->orig_size_offset && r->slot_bytes == cache->slot_bytes)
		bytes = load_u32(object + cache->orig_size_offset);
	return bytes ? MIN(bytes, r->object_bytes) : r->object_bytes;
}

static struct kml_error *scan_slab(struct scan *scan, struct thread *thread,
				   struct chunk *chunk, uint64_t pfn)
{
	struct kernel *kernel = scan->kernel;
	uint32_t index = heap_pfn_region(scan->heap, pfn), i;
	const struct heap_region *r;
	uint64_t missing, n_pages;
	struct kml_error *error;
	enum slab_verdict verdict = SLAB_SOUND;

	if (index == HEAP_NONE)
		return NULL;
	r = &scan->heap->regions.data[index];
	if (r->kind != HEAP_SLAB || r->va != kernel->direct_va + pfn * 4096)
		return NULL; /* a tail */
	n_pages = r->bytes / 4096;
	if (n_pages > BATCH_PAGES) {
		note_gap(chunk, GAP_LARGE_SLAB, r->va);
		return NULL;
	}
	error = image_reader_pages(thread->reader, pfn, (unsigned)n_pages,
				   thread->buf, &missing);
	if (error)
		return error;
	chunk->statistics.pages += n_pages;
	/* Slabs are the first regions, so that they share their index. */
	if (!kernel->slabs.data[index].known)
		verdict = slab_set_states(kernel, index, thread->buf, missing);
	if (verdict == SLAB_TORN) {
		note_gap(chunk, GAP_TORN, r->va);
		chunk->statistics.slabs_torn++;
	}
	if (missing) {
		note_gap(chunk, missing == 2 ? GAP_SECOND : GAP_SLAB, r->va);
		chunk->statistics.slabs_unreadable++;
	}
	if (r->flags & HEAP_NO_SCAN) {
		scan_links(scan, chunk, r, thread->buf);
		return NULL;
	}
	for (i = 0; i < r->n_objects; i++) {
		uint64_t at = (uint64_t)i * r->slot_bytes + r->pad_bytes;

		if (!bitmap_test(scan->heap->free, r->first_id + i))
			scan_object_part(scan, chunk, r->first_id + i,
					 thread->buf, at, 0,
					 used_bytes(scan, r, thread->buf + at));
	}
	return NULL;
}

/* ---- roots in physical memory */

/* Scan what lies in a page of a root. */
static void scan_root_page(const struct scan *scan, struct chunk *chunk,
			   uint32_t root_index, const char *page,
			   uint64_t page_va, uint64_t start, uint64_t end)
{
	const struct kernel_root *root =
		&scan->kernel->roots.data[root_index];

	scan_around_holes(scan, chunk, scan->n_objects + root_index, page,
			  page_va, start, end,
			  (int64_t)(root->start_va - page_va));
}

/* The first root by physical address that ends above @pa. */
static size_t find_root(const struct scan *scan, uint64_t pa)
{
	const struct kernel_root *roots = scan->kernel->roots.data;
	const uint32_t *by_pa = scan->roots_by_pa;

	return partition_point(scan->n_roots_by_pa, mid,
			       roots[by_pa[mid]].start_pa +
				       roots[by_pa[mid]].bytes <= pa);
}

static void scan_reserved(const struct scan *scan, struct chunk *chunk,
			  uint64_t pfn, const char *page)
{
	uint64_t pa = pfn * 4096;
	size_t i;

	for (i = find_root(scan, pa); i < scan->n_roots_by_pa; i++) {
		uint32_t index = scan->roots_by_pa[i];
		const struct kernel_root *root = &scan->kernel->roots.data[index];
		uint64_t start = MAX(root->start_pa, pa);
		uint64_t end = MIN(root->start_pa + root->bytes, pa + 4096);

		if (root->start_pa >= pa + 4096)
			return;
		scan_root_page(scan, chunk, index, page,
			       root->start_va + (pa - root->start_pa),
			       start - pa, end - pa);
	}
}

/* ---- struct pages */

static size_t find_mapped(const struct kernel *kernel, uint64_t pfn)
{
	return partition_point(kernel->mapped.size, mid,
			       kernel->mapped.data[mid].pfn < pfn);
}

/* Whose words a struct page's are: of the object that the page belongs to, if
 * that must be reached to count, else of the struct pages as a root. */
static uint32_t page_source(const struct scan *scan, uint64_t pfn)
{
	const struct kernel *kernel = scan->kernel;
	uint32_t region = HEAP_NONE;
	size_t i;

	if (kernel->page_class[pfn] == PAGE_BLOCK) {
		region = heap_pfn_region(scan->heap, pfn);
	} else if (kernel->page_class[pfn] == PAGE_MAPPED) {
		i = find_mapped(kernel, pfn);
		if (i < kernel->mapped.size && kernel->mapped.data[i].pfn == pfn)
			region = kernel->mapped.data[i].region;
		if (region != HEAP_NONE &&
		    (region == KERNEL_VMEMMAP_REGION ||
		     scan->heap->regions.data[region].kind == HEAP_PERCPU))
			region = HEAP_NONE;
	}
	if (region != HEAP_NONE)
		return scan->heap->regions.data[region].first_id;
	return scan->pages_source + (uint32_t)(pfn >> GRAPH_PAGES_SHIFT);
}

static bool is_later_page(const struct scan *scan, uint64_t pfn)
{
	uint32_t region = heap_pfn_region(scan->heap, pfn);

	return region != HEAP_NONE &&
	       scan->heap->regions.data[region].va !=
		       scan->kernel->direct_va + pfn * 4096;
}

/*
 * __free_slab() leaves the head of the slab's freelist where page.index is, and
 * nobody clears that: an address in what was that slab, of 32 KiB at most.
 */
#define STALE_SLAB_BYTES (UINT64_C(8) * 4096)

static bool is_old_freelist(const struct scan *scan, uint64_t pfn,
			    uint64_t word)
{
	return word - (scan->heap->direct_va + pfn * 4096) < STALE_SLAB_BYTES;
}

static void scan_struct_page(const struct scan *scan, struct chunk *chunk,
			     uint64_t pfn, const uint64_t *page)
{
	unsigned class = scan->kernel->page_class[pfn];
	unsigned words = scan->kernel->page_words[class];
	uint64_t per_page = scan->kernel->page_struct_bytes / 8;
	uint32_t from = HEAP_NONE;
	enum heap_reference how;

	if (class == PAGE_BLOCK && is_later_page(scan, pfn))
		words = scan->kernel->later_page_words;
	if (bitmap_test(scan->kernel->stale_lru, pfn))
		words &= ~(unsigned)scan->kernel->lru_words;
	/* compound_head of a tail: bit 0 of the second word */
	if (page[1] & 1)
		words &= ~2u;
	for (; words; words &= words - 1) {
		unsigned word = (unsigned)__builtin_ctz(words);
		uint32_t to;

		if (page[word] < 4096)
			continue;
		if (class == PAGE_SLAB && scan->kernel->rcu_free_slab &&
		    word == scan->kernel->slab_rcu_word &&
		    page[word + 1] != scan->kernel->rcu_free_slab)
			continue;
		/* An anonymous page's mapping: its anon_vma, which may be gone
		 * while the page still is in a swap cache or on its way out,
		 * and which the page does not hold. */
		if (class == PAGE_USER && word == scan->kernel->mapping_word &&
		    page[word] & 3)
			continue;
		chunk->statistics.words++;
		to = heap_resolve(scan->heap, page[word], &how);
		if (to == HEAP_NONE)
			continue;
		chunk->statistics.candidates++;
		if (class == PAGE_BLOCK &&
		    word == scan->kernel->mapping_word + 1 &&
		    is_old_freelist(scan, pfn, page[word]))
			continue;
		/* page.private may be any number. */
		if (how == HEAP_REF_PHYSICAL)
			continue;
		if (from == HEAP_NONE)
			from = page_source(scan, pfn);
		/* Of an object the word is one outside of its memory. */
		scan_add_edge(chunk, from, to,
			 from >= scan->pages_source ?
				 (pfn & ((1u << GRAPH_PAGES_SHIFT) - 1)) *
						 per_page + word :
				 (1u << 29) - 1,
			 how, scan_offset_in(scan, to, page[word], how));
	}
}

static void scan_vmemmap(const struct scan *scan, struct chunk *chunk,
			 uint64_t index, const char *page)
{
	uint64_t bytes = scan->kernel->page_struct_bytes;
	uint64_t pfn = index * (4096 / bytes), i;

	for (i = 0; i < 4096 / bytes && pfn + i < scan->kernel->end_pfn; i++) {
		unsigned class = scan->kernel->page_class[pfn + i];

		if (scan->kernel->page_words[class])
			scan_struct_page(scan, chunk, pfn + i,
					 (const uint64_t *)(page + i * bytes));
	}
}

/* ---- vmalloc areas and per-cpu units */

static void scan_percpu(const struct scan *scan, struct chunk *chunk,
			const struct heap_region *unit, uint64_t index,
			const char *page)
{
	const struct kernel *kernel = scan->kernel;
	const struct heap_chunk *blocks = &scan->heap->chunks.data[unit->owner];
	uint64_t start = index * 4096, end = start + 4096;
	uint64_t page_va = unit->va + start;
	uint32_t i, root;

	/* They stand in a row, one of each CPU. */
	for (root = scan->first_percpu_root;
	     root < kernel->roots.size &&
	     kernel->roots.data[root].kind == ROOT_PERCPU;
	     root++) {
		const struct kernel_root *r = &kernel->roots.data[root];

		if (r->start_va == unit->va && r->bytes > start)
			scan_root_page(scan, chunk, root, page, page_va, 0,
				       MIN(r->bytes - start, 4096));
	}
	i = partition_point(blocks->n_blocks, mid,
			    blocks->blocks[mid].offset +
				    blocks->blocks[mid].bytes <= start);
	for (; i < blocks->n_blocks && blocks->blocks[i].offset < end; i++) {
		uint64_t from = blocks->blocks[i].offset;
		uint64_t to = from + blocks->blocks[i].bytes;

		scan_around_holes(scan, chunk, unit->first_id + i, page,
				  page_va, MAX(from, start) - start,
				  MIN(to, end) - start,
				  (int64_t)(from - start));
	}
}

static void scan_mapped(const struct scan *scan, struct chunk *chunk,
			const struct kernel_mapped *mapped, const char *page,
			bool missing)
{
	const struct heap_region *r;

	if (mapped->region == KERNEL_VMEMMAP_REGION) {
		if (missing)
			note_gap(chunk, GAP_VMEMMAP, mapped->pfn * 4096);
		else
			scan_vmemmap(scan, chunk, mapped->index, page);
		return;
	}
	r = &scan->heap->regions.data[mapped->region];
	if (r->flags & HEAP_NO_SCAN)
		return;
	if (missing)
		note_gap(chunk, GAP_MAPPED, r->va + mapped->index * 4096ull);
	else if (r->kind == HEAP_PERCPU)
		scan_percpu(scan, chunk, r, mapped->index, page);
	else
		scan_object_part(scan, chunk, r->first_id, page, 0,
				 mapped->index * 4096ull,
				 MIN(mapped->index * 4096ull + 4096, r->bytes));
}

/* ---- pages */

/* Is a page to be read for the scan (slabs apart)? */
static bool page_wanted(const struct scan *scan, uint64_t pfn)
{
	uint32_t region;

	switch (scan->kernel->page_class[pfn]) {
	case PAGE_BLOCK:
		region = heap_pfn_region(scan->heap, pfn);
		return region != HEAP_NONE &&
		       !(scan->heap->regions.data[region].flags & HEAP_NO_SCAN);
	case PAGE_MAPPED:
	case PAGE_VMEMMAP:
		return true;
	case PAGE_RESERVED:
		return image_has_page(scan->kernel->image, pfn) &&
		       find_root(scan, pfn * 4096) < scan->n_roots_by_pa;
	default:
		return false;
	}
}

static void scan_block(const struct scan *scan, struct chunk *chunk,
		       uint64_t pfn, const char *page, bool missing)
{
	const struct heap_region *r =
		&scan->heap->regions.data[heap_pfn_region(scan->heap, pfn)];
	uint64_t offset = scan->kernel->direct_va + pfn * 4096 - r->va;

	if (missing) {
		note_gap(chunk, r->flags & HEAP_COMPOUND && offset == 4096 ?
					GAP_SECOND : GAP_BLOCK, r->va + offset);
		bitmap_set_atomic(scan->heap->unreadable, r->first_id);
		return;
	}
	scan_object_part(scan, chunk, r->first_id, page, 0, offset,
			 offset + 4096);
}

static void scan_page(struct scan *scan, struct chunk *chunk, uint64_t pfn,
		      const char *page, bool missing)
{
	const struct kernel *kernel = scan->kernel;
	size_t i;

	chunk->statistics.pages++;
	switch (kernel->page_class[pfn]) {
	case PAGE_BLOCK:
		scan_block(scan, chunk, pfn, page, missing);
		break;
	case PAGE_RESERVED:
		if (!missing)
			scan_reserved(scan, chunk, pfn, page);
		break;
	default:
		for (i = find_mapped(kernel, pfn);
		     i < kernel->mapped.size && kernel->mapped.data[i].pfn == pfn;
		     i++)
			scan_mapped(scan, chunk, &kernel->mapped.data[i], page,
				    missing);
	}
}

static struct kml_error *scan_run(struct scan *scan, struct thread *thread,
				  struct chunk *chunk, uint64_t pfn, unsigned n)
{
	struct kml_error *error;
	uint64_t missing;
	unsigned i;

	error = image_reader_pages(thread->reader, pfn, n, thread->buf,
				   &missing);
	for (i = 0; !error && i < n; i++)
		scan_page(scan, chunk, pfn + i, thread->buf + i * 4096,
			  missing >> i & 1);
	return error;
}

struct kml_error *scan_pages(struct scan *scan, struct thread *thread,
			     struct chunk *chunk, uint64_t pfn, uint64_t end)
{
	struct kml_error *error = NULL;

	while (!error && pfn < end) {
		unsigned n = 0;

		if (scan->kernel->page_class[pfn] == PAGE_SLAB) {
			error = scan_slab(scan, thread, chunk, pfn++);
			continue;
		}
		while (n < BATCH_PAGES && pfn + n < end &&
		       page_wanted(scan, pfn + n))
			n++;
		if (n)
			error = scan_run(scan, thread, chunk, pfn, n);
		pfn += MAX(n, 1u);
	}
	return error;
}
