// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pass over the image.  Page frames are cut into chunks; a chunk's edges
 * are collected apart and joined in order, so that the result does not depend
 * on the number of threads.  A page is read only if it holds an object or a
 * root, and a slab by the chunk that its first page lies in.
 */
#include "graph/graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/util.h"
#include "graph/mempool.h"
#include "kernel/slab_state.h"
#include "kernel/type.h"

#define CHUNK_PAGES 1024u
#define BATCH_PAGES 64u
#define PAGE_WORDS 512u

struct raw_edge {
	uint32_t from;
	struct graph_edge edge;
};

/* What a chunk could not read. */
enum gap {
	GAP_SLAB,
	GAP_SECOND,
	GAP_TORN,
	GAP_BLOCK,
	GAP_MAPPED,
	GAP_VMEMMAP,
	GAP_LARGE_SLAB,
	GAPS,
};

static const char *const gap_names[GAPS] = {
	[GAP_SLAB] = "slabs with pages not in the dump",
	/* It takes page.mapping there for an anonymous page's on kernels that
	 * have page.compound_info (since Linux 7.1). */
	[GAP_SECOND] = "compound pages that lack just their second page: makedumpfile took it for user memory, use -d 23",
	[GAP_TORN] = "slabs with a torn freelist",
	[GAP_BLOCK] = "page blocks with pages not in the dump",
	[GAP_MAPPED] = "vmalloc and per-cpu pages not in the dump",
	[GAP_VMEMMAP] = "pages of the struct page array not in the dump",
	[GAP_LARGE_SLAB] = "slabs of more than 64 pages",
};

struct chunk {
	VEC(struct raw_edge) edges;
	VEC(struct graph_disregarded) disregarded;
	VEC(struct mempool_word) mempools;
	struct graph_statistics statistics;
	uint64_t gaps[GAPS];
	uint64_t gap_va[GAPS];
	bool nomem;
};

struct thread {
	struct image_reader *reader;
	char *buf; /* BATCH_PAGES pages, 8-byte aligned */
};

struct scan {
	struct kernel *kernel;
	const struct heap *heap;
	struct chunk *chunks;
	struct thread *threads;
	uint64_t *has_rule;      /* by id */
	uint32_t *roots_by_pa;   /* indices of sections and reserved ranges */
	size_t n_roots_by_pa;
	uint32_t first_percpu_root;
	uint64_t **pointer_words; /* by cache; NULL: not precise, or of a cache:
				     its type is not known */
	uint64_t owner_to_waiters; /* words from a lock's owner to its list of
				      waiters; 0: unknown */
	struct mempools mempools;
	uint64_t *idle;          /* by id: unused, in a mempool */
	uint64_t n_chunks;
	uint32_t n_objects;
	uint32_t pages_source;   /* the first source for struct pages */
};

static void note_gap(struct chunk *chunk, enum gap gap, uint64_t va)
{
	if (!chunk->gaps[gap]++)
		chunk->gap_va[gap] = va;
}

/* ---- words to edges */

static void add_edge(struct chunk *chunk, uint32_t from, uint32_t to,
		     uint64_t word, enum heap_reference how)
{
	struct raw_edge edge = {
		.from = from,
		.edge = { to, (uint32_t)word | (uint32_t)how << 29 },
	};

	if (from == to)
		chunk->statistics.self++;
	else if (!vec_push(&chunk->edges, edge))
		chunk->nomem = true;
}

static bool is_task(const struct scan *scan, uint32_t id)
{
	const struct heap_region *r = heap_region_of(scan->heap, id);

	return r->kind == HEAP_SLAB && r->owner == scan->kernel->task_cache;
}

/* Memory where physical addresses are kept: pages, and the variables of
 * modules. */
static bool has_physical(const struct scan *scan, uint32_t from)
{
	if (from < scan->n_objects) {
		uint8_t kind = heap_region_of(scan->heap, from)->kind;

		return kind != HEAP_SLAB && kind != HEAP_PERCPU;
	}
	return from < scan->pages_source &&
	       scan->kernel->roots.data[from - scan->n_objects].kind ==
		       ROOT_MODULE;
}

/* --precise: is the word of a member that is no pointer? */
static bool is_integer(const struct scan *scan, uint32_t from, uint64_t word)
{
	const struct heap_region *r;

	if (from >= scan->n_objects)
		return false;
	r = heap_region_of(scan->heap, from);
	return r->kind == HEAP_SLAB && scan->pointer_words[r->owner] &&
	       word * 8 < r->object_bytes &&
	       !bitmap_test(scan->pointer_words[r->owner], word);
}

/*
 * Is the first of @n words that of a rw_semaphore's last reader?  It is a
 * task_struct's with RWSEM_READER_OWNED, bit 0; behind it are two locks that
 * nobody has, and the empty list of those who wait, which refers to itself
 * (buffers are aligned as pages are).  Since Linux 7.1 there is no such list.
 */
static bool is_reader(const struct scan *scan, const uint64_t *words,
		      uint64_t n)
{
	const uint64_t unaligned = 0x3c; /* of a task_struct, in a cache line */
	uint64_t list = scan->owner_to_waiters;

	return list && list + 1 < n && words[0] & 1 &&
	       !(words[0] & unaligned) && !words[1] &&
	       words[list] == words[list + 1] && words[list] >> 63 &&
	       !((words[list] ^ (uintptr_t)&words[list]) & 4095);
}

/*
 * Is the first of @n words, which equals an address of @to, no reference to it?
 *
 * - A lock's owner has flags in its low bits.  That of a rw_semaphore stays
 *   after the last reader has left (rwsem_set_reader_owned() of
 *   kernel/locking/rwsem.c), who may have exited long ago: his task_struct may
 *   be somebody else's memory by now.  An owner that lives is on a list of
 *   tasks.
 * - Physical addresses are kept where hardware or page tables are set up: in
 *   pages and in modules' variables.  A driver's object has the virtual one as
 *   well.  An equal word elsewhere is a number: flags and sizes in slab objects
 *   and variables, a counter of bytes in a per-cpu block, a range that firmware
 *   or memblock tells of in reserved memory.
 */
static bool disregard(const struct scan *scan, uint32_t from, uint32_t to,
		      const uint64_t *words, uint64_t n, uint64_t index,
		      enum heap_reference how, uint32_t *why)
{
	if (words[0] & 7 &&
	    (is_task(scan, to) ||
	     (how == HEAP_REF_ADDRESS && is_reader(scan, words, n))))
		*why = DISREGARD_OWNER;
	else if (how == HEAP_REF_PHYSICAL && !has_physical(scan, from))
		*why = DISREGARD_INTEGER;
	else if (scan->pointer_words && is_integer(scan, from, index))
		*why = DISREGARD_MEMBER;
	else
		return false;
	return true;
}

static void add_disregarded(struct chunk *chunk, uint32_t from, uint32_t to,
			    uint64_t word, uint32_t why)
{
	const struct graph_disregarded disregarded = {
		to, from, (uint32_t)word, why,
	};

	if (from != to && !vec_push(&chunk->disregarded, disregarded))
		chunk->nomem = true;
}

static void add_mempool(struct chunk *chunk, uint32_t from, uint64_t word)
{
	const struct mempool_word pool = { from, (uint32_t)word };

	if (!vec_push(&chunk->mempools, pool))
		chunk->nomem = true;
}

static void scan_words(const struct scan *scan, struct chunk *chunk,
		       uint32_t from, const uint64_t *words, uint64_t n,
		       uint64_t first_word)
{
	uint64_t i;

	chunk->statistics.words += n;
	for (i = 0; i < n; i++) {
		enum heap_reference how = HEAP_REF_NONE;
		uint32_t to, why;

		if (words[i] < 4096)
			continue;
		to = heap_resolve(scan->heap, words[i], &how);
		if (to != HEAP_NONE) {
			chunk->statistics.candidates++;
			if (disregard(scan, from, to, words + i, n - i,
				      first_word + i, how, &why))
				add_disregarded(chunk, from, to,
						first_word + i, why);
			else
				add_edge(chunk, from, to, first_word + i, how);
			continue;
		}
		if (how != HEAP_REF_NONE) {
			chunk->statistics.candidates++;
			chunk->statistics.misses++;
		}
		if (mempools_match(&scan->mempools, words[i]))
			add_mempool(chunk, from, first_word + i);
	}
}

/* Scan the bytes [start, end) of a buffer that begins at a page boundary as
 * the words of @from, whose byte 0 is at offset @origin of the buffer (it may
 * lie before it).  Unaligned edges are left out, as a pointer would be. */
static void scan_bytes(const struct scan *scan, struct chunk *chunk,
		       uint32_t from, const char *buf, uint64_t start,
		       uint64_t end, int64_t origin)
{
	start = align_up(start, 8);
	end = align_down(end, 8);
	if (start < end)
		scan_words(scan, chunk, from, (const uint64_t *)(buf + start),
			   (end - start) / 8,
			   (uint64_t)((int64_t)start - origin) / 8);
}

/* ---- holes */

/* The first hole that ends above @va. */
static size_t find_hole(const struct kernel *kernel, uint64_t va)
{
	size_t lo = 0, hi = kernel->holes.size;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (kernel->holes.data[mid].end_va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* scan_bytes() around the holes; @buf_va: the address of what is in @buf. */
static void scan_around_holes(const struct scan *scan, struct chunk *chunk,
			      uint32_t from, const char *buf, uint64_t buf_va,
			      uint64_t start, uint64_t end, int64_t origin)
{
	const struct kernel *kernel = scan->kernel;
	size_t i;

	for (i = find_hole(kernel, buf_va + start);
	     i < kernel->holes.size && start < end; i++) {
		const struct kernel_hole *hole = &kernel->holes.data[i];

		if (hole->start_va >= buf_va + end)
			break;
		if (hole->start_va > buf_va + start)
			scan_bytes(scan, chunk, from, buf, start,
				   hole->start_va - buf_va, origin);
		start = hole->end_va - buf_va;
	}
	if (start < end)
		scan_bytes(scan, chunk, from, buf, start, end, origin);
}

/* ---- objects with a rule of their own */

static const struct kernel_rule *find_rule(const struct scan *scan, uint32_t id)
{
	const struct kernel *kernel = scan->kernel;
	size_t lo = 0, hi = kernel->rules.size;

	if (!bitmap_test(scan->has_rule, id))
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (kernel->rules.data[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return &kernel->rules.data[lo];
}

/*
 * Scan the bytes [start, end) of object @id, offsets into the object, which
 * are in @buf from @buf_start on.  What its rule excepts is cut out.
 */
static void scan_object_part(const struct scan *scan, struct chunk *chunk,
			     uint32_t id, const char *buf, uint64_t buf_start,
			     uint64_t start, uint64_t end)
{
	const struct kernel_rule *rule = find_rule(scan, id);
	int64_t origin = (int64_t)(buf_start - start);
	uint64_t cuts[6], i;

	if (!rule) {
		scan_bytes(scan, chunk, id, buf, buf_start,
			   buf_start + (end - start), origin);
		return;
	}
	if (rule->kind == SCAN_HOLES) {
		scan_around_holes(scan, chunk, id, buf,
				  heap_object_va(scan->heap, id) + start -
					  buf_start,
				  buf_start, buf_start + (end - start), origin);
		return;
	}
	if (rule->kind == SCAN_HEAD) {
		if (start < rule->skip_start)
			scan_bytes(scan, chunk, id, buf, buf_start,
				   buf_start + MIN(end, rule->skip_start) - start,
				   origin);
		return;
	}
	/* Three pieces: in front of, between and behind the two exceptions. */
	cuts[0] = start;
	cuts[1] = rule->skip_start;
	cuts[2] = rule->skip_end;
	cuts[3] = rule->skip2_end ? rule->skip2_start : end;
	cuts[4] = rule->skip2_end ? rule->skip2_end : end;
	cuts[5] = end;
	for (i = 0; i < 6; i += 2) {
		uint64_t from = MAX(cuts[i], start), to = MIN(cuts[i + 1], end);

		if (from < to)
			scan_bytes(scan, chunk, id, buf,
				   buf_start + (from - start),
				   buf_start + (to - start), origin);
	}
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
	size_t lo = 0, hi = scan->n_roots_by_pa;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct kernel_root *root =
			&scan->kernel->roots.data[scan->roots_by_pa[mid]];

		if (root->start_pa + root->bytes <= pa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
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
	size_t lo = 0, hi = kernel->mapped.size;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (kernel->mapped.data[mid].pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
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
		/* page.private may be any number. */
		if (how == HEAP_REF_PHYSICAL)
			continue;
		if (from == HEAP_NONE)
			from = page_source(scan, pfn);
		/* Of an object the word is one outside of its memory. */
		add_edge(chunk, from, to,
			 from >= scan->pages_source ?
				 (pfn & ((1u << GRAPH_PAGES_SHIFT) - 1)) *
						 per_page + word :
				 (1u << 29) - 1,
			 how);
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
	uint32_t i, lo = 0, hi = blocks->n_blocks, root;

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
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (blocks->blocks[mid].offset + blocks->blocks[mid].bytes <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (i = lo; i < blocks->n_blocks && blocks->blocks[i].offset < end; i++) {
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

static struct kml_error *scan_chunk(void *arg, unsigned thread_index,
				    uint64_t chunk_index)
{
	struct scan *scan = arg;
	struct thread *thread = &scan->threads[thread_index];
	struct chunk *chunk = &scan->chunks[chunk_index];
	uint64_t pfn = chunk_index * CHUNK_PAGES;
	uint64_t end = MIN(pfn + CHUNK_PAGES, scan->kernel->end_pfn);
	struct kml_error *error = NULL;

	/* Thread 0 is the caller's own, and may call back. */
	if (!thread_index)
		error = message_progress(scan->kernel->messenger, "scanning",
					 chunk_index, scan->n_chunks);
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
	if (!error && chunk->nomem)
		error = error_nomem();
	return error;
}

/* ---- stacks and registers */

static struct kml_error *scan_virtual(struct scan *scan, struct chunk *chunk,
				      uint32_t root_index, char *buf)
{
	const struct kernel_root *root = &scan->kernel->roots.data[root_index];
	uint64_t va = align_up(root->start_va, 8), page;
	uint64_t end = root->start_va + root->bytes;

	for (; va < end; va = page + 4096) {
		struct kml_error *error;

		page = align_down(va, 4096);
		error = image_read_va(scan->kernel->image, page, buf, 4096);
		if (error) {
			error = kernel_forgive(scan->kernel, error,
					       "stacks not in the dump", va);
			if (error)
				return error;
			continue;
		}
		scan_around_holes(scan, chunk, scan->n_objects + root_index,
				  buf, page, va - page, MIN(end - page, 4096),
				  (int64_t)(root->start_va - page));
	}
	return NULL;
}

static struct kml_error *scan_other_roots(struct scan *scan,
					  struct chunk *chunk, char *buf)
{
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < scan->kernel->roots.size; i++) {
		const struct kernel_root *root = &scan->kernel->roots.data[i];

		switch (root->kind) {
		case ROOT_STACK:
		case ROOT_IRQ_STACK:
			error = scan_virtual(scan, chunk, i, buf);
			break;
		case ROOT_REGISTERS:
			scan_words(scan, chunk, scan->n_objects + i,
				   scan->kernel->cpu_regs[root->owner]->gpr, 16,
				   0);
			break;
		default:
			break;
		}
	}
	return error;
}

/* What no word says: see struct kernel_edge. */
static void add_kernel_edges(struct scan *scan, struct chunk *chunk)
{
	uint32_t code = 0;
	size_t i;

	while (code < scan->kernel->roots.size &&
	       scan->kernel->roots.data[code].kind != ROOT_CODE)
		code++;
	for (i = 0; i < scan->kernel->edges.size; i++) {
		const struct kernel_edge *edge = &scan->kernel->edges.data[i];

		add_edge(chunk,
			 edge->from == HEAP_NONE ? scan->n_objects + code :
						   edge->from,
			 edge->to, (1u << 29) - 1, HEAP_REF_ADDRESS);
	}
}

/* ---- putting it together */

static void add_statistics(struct graph_statistics *to,
			   const struct graph_statistics *from)
{
	to->pages += from->pages;
	to->words += from->words;
	to->candidates += from->candidates;
	to->misses += from->misses;
	to->self += from->self;
	to->slabs_torn += from->slabs_torn;
	to->slabs_unreadable += from->slabs_unreadable;
}

static void merge_gaps(struct kernel *kernel, const struct chunk *chunk)
{
	unsigned gap;

	for (gap = 0; gap < GAPS; gap++)
		kernel_gaps(kernel, gap_names[gap], chunk->gap_va[gap], true,
			    chunk->gaps[gap]);
}

/* Find the objects that lie unused in mempools. */
static struct kml_error *find_idle(struct scan *scan, uint64_t n_chunks,
				   const struct graph *graph)
{
	struct kml_error *error = NULL;
	uint64_t c;
	size_t i;

	scan->idle = bitmap_alloc(scan->n_objects);
	if (!scan->idle)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		const struct chunk *chunk = &scan->chunks[c];

		for (i = 0; !error && i < chunk->mempools.size; i++)
			error = mempools_mark(&scan->mempools, scan->kernel,
					      graph, &chunk->mempools.data[i],
					      scan->idle);
	}
	return error;
}

static bool is_idle(const struct scan *scan, uint32_t source)
{
	return source < scan->n_objects && bitmap_test(scan->idle, source);
}

/* Sort the chunks' edges by source, keeping their order otherwise. */
static struct kml_error *build_rows(struct scan *scan, uint64_t n_chunks,
				    struct graph *graph)
{
	_cleanup_free_ uint64_t *next = NULL;
	uint64_t c, sum = 0;
	uint32_t source;
	size_t i;

	graph->first = calloc(graph->n_sources + 1ull, sizeof(*graph->first));
	next = calloc(graph->n_sources + 1ull, sizeof(*next));
	if (!graph->first || !next)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		for (i = 0; i < scan->chunks[c].edges.size; i++) {
			source = scan->chunks[c].edges.data[i].from;
			graph->first[source] += !is_idle(scan, source);
		}
	}
	for (source = 0; source <= graph->n_sources; source++) {
		uint64_t n = graph->first[source];

		graph->first[source] = next[source] = sum;
		sum += n;
	}
	graph->n_edges = graph->statistics.references = sum;
	graph->edges = malloc(MAX(sum, 1) * sizeof(*graph->edges));
	if (!graph->edges)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		struct chunk *chunk = &scan->chunks[c];

		for (i = 0; i < chunk->edges.size; i++) {
			source = chunk->edges.data[i].from;
			if (!is_idle(scan, source))
				graph->edges[next[source]++] =
					chunk->edges.data[i].edge;
		}
		vec_deinit(&chunk->edges);
	}
	return NULL;
}

static int compare_pa(const void *a, const void *b, void *roots)
{
	const struct kernel_root *x =
		(struct kernel_root *)roots + *(const uint32_t *)a;
	const struct kernel_root *y =
		(struct kernel_root *)roots + *(const uint32_t *)b;

	return (x->start_pa > y->start_pa) - (x->start_pa < y->start_pa);
}

static int compare_disregarded(const void *a, const void *b)
{
	const struct graph_disregarded *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

static void cite_disregard(struct kernel *kernel, uint32_t why)
{
	if (why == DISREGARD_OWNER)
		kernel_cite(kernel, BUILTIN_LOCK_OWNER);
	else if (why == DISREGARD_INTEGER)
		kernel_cite(kernel, BUILTIN_INTEGER);
}

static struct kml_error *join_disregarded(struct scan *scan, uint64_t n_chunks,
					  struct graph *graph)
{
	uint64_t c, n = 0;

	for (c = 0; c < n_chunks; c++)
		n += scan->chunks[c].disregarded.size;
	graph->disregarded = malloc(MAX(n, 1) * sizeof(*graph->disregarded));
	if (!graph->disregarded)
		return error_nomem();
	for (c = 0; c < n_chunks; c++) {
		struct chunk *chunk = &scan->chunks[c];

		if (chunk->disregarded.size)
			memcpy(graph->disregarded + graph->n_disregarded,
			       chunk->disregarded.data,
			       chunk->disregarded.size *
				       sizeof(*graph->disregarded));
		graph->n_disregarded += chunk->disregarded.size;
	}
	for (c = 0; c < n; c++) {
		cite_disregard(scan->kernel, graph->disregarded[c].why);
		graph->statistics.integers +=
			graph->disregarded[c].why == DISREGARD_MEMBER;
	}
	qsort(graph->disregarded, n, sizeof(*graph->disregarded),
	      compare_disregarded);
	return NULL;
}

static struct kml_error *prepare(struct scan *scan, uint64_t n_chunks)
{
	struct kernel *kernel = scan->kernel;
	uint32_t i;

	scan->chunks = calloc(n_chunks + 1, sizeof(*scan->chunks));
	scan->threads = calloc(kernel->n_threads, sizeof(*scan->threads));
	scan->has_rule = bitmap_alloc(scan->n_objects);
	scan->roots_by_pa = calloc(kernel->roots.size + 1,
				   sizeof(*scan->roots_by_pa));
	if (!scan->chunks || !scan->threads || !scan->has_rule ||
	    !scan->roots_by_pa)
		return error_nomem();
	for (i = 0; i < kernel->rules.size; i++)
		bitmap_set(scan->has_rule, kernel->rules.data[i].id);
	scan->first_percpu_root = UINT32_MAX;
	for (i = 0; i < kernel->roots.size; i++) {
		unsigned kind = kernel->roots.data[i].kind;

		if (kind == ROOT_SECTION || kind == ROOT_RESERVED)
			scan->roots_by_pa[scan->n_roots_by_pa++] = i;
		if (kind == ROOT_PERCPU)
			scan->first_percpu_root = MIN(scan->first_percpu_root, i);
	}
	qsort_r(scan->roots_by_pa, scan->n_roots_by_pa,
		sizeof(*scan->roots_by_pa), compare_pa, kernel->roots.data);
	for (i = 0; i < kernel->n_threads; i++) {
		struct kml_error *error;

		scan->threads[i].buf = aligned_alloc(4096, BATCH_PAGES * 4096);
		if (!scan->threads[i].buf)
			return error_nomem();
		error = image_reader_create(kernel->image,
					    &scan->threads[i].reader);
		if (error)
			return error;
	}
	return NULL;
}

static void scan_deinit(struct scan *scan, uint64_t n_chunks)
{
	uint64_t i;

	for (i = 0; scan->chunks && i <= n_chunks; i++) {
		vec_deinit(&scan->chunks[i].edges);
		vec_deinit(&scan->chunks[i].disregarded);
		vec_deinit(&scan->chunks[i].mempools);
	}
	for (i = 0; scan->threads && i < scan->kernel->n_threads; i++) {
		image_reader_destroy(scan->threads[i].reader);
		free(scan->threads[i].buf);
	}
	free(scan->chunks);
	free(scan->threads);
	free(scan->has_rule);
	free(scan->idle);
	free(scan->roots_by_pa);
	for (i = 0; scan->pointer_words && i < scan->kernel->caches.size; i++)
		free(scan->pointer_words[i]);
	free(scan->pointer_words);
}

static struct kml_error *run(struct scan *scan, uint64_t n_chunks,
			     struct graph *graph)
{
	struct kernel *kernel = scan->kernel;
	struct chunk *last;
	struct kml_error *error;
	uint64_t i;

	error = prepare(scan, n_chunks);
	if (!error)
		error = pool_run(kernel->n_threads, n_chunks, scan_chunk, scan);
	if (error)
		return error;
	last = &scan->chunks[n_chunks];
	error = scan_other_roots(scan, last, scan->threads[0].buf);
	if (error)
		return error;
	add_kernel_edges(scan, last);
	if (last->nomem)
		return error_nomem();
	for (i = 0; i <= n_chunks; i++) {
		add_statistics(&graph->statistics, &scan->chunks[i].statistics);
		merge_gaps(kernel, &scan->chunks[i]);
	}
	error = find_idle(scan, n_chunks + 1, graph);
	if (!error)
		error = join_disregarded(scan, n_chunks + 1, graph);
	return error ? error : build_rows(scan, n_chunks + 1, graph);
}

/* What of the objects of each cache is a pointer. */
static struct kml_error *find_types(struct scan *scan, struct graph *graph)
{
	const struct kernel *kernel = scan->kernel;
	size_t i;

	scan->pointer_words = calloc(MAX(kernel->caches.size, 1),
				     sizeof(*scan->pointer_words));
	if (!scan->pointer_words)
		return error_nomem();
	for (i = 0; i < kernel->caches.size; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];
		const char *type = kernel_cache_type(kernel, cache);

		if (!type)
			continue;
		scan->pointer_words[i] = kernel_pointer_words(
			kernel, type, cache->object_bytes);
		if (!scan->pointer_words[i])
			return error_nomem();
		graph->statistics.typed_caches++;
	}
	return NULL;
}

static uint64_t owner_to_waiters(const struct profile *profile)
{
	struct profile_member owner, waiters;

	if (!profile_member(profile, "rw_semaphore", "owner", &owner) ||
	    !profile_member(profile, "rw_semaphore", "wait_list", &waiters) ||
	    waiters.offset <= owner.offset)
		return 0;
	/* Without CONFIG_RWSEM_SPIN_ON_OWNER and debugging: a lock between. */
	return waiters.offset - owner.offset == 16 ? 2 : 0;
}

struct kml_error *graph_scan(struct kernel *kernel, bool precise,
			     struct graph *ret)
{
	uint64_t n_chunks = (kernel->end_pfn + CHUNK_PAGES - 1) / CHUNK_PAGES;
	struct scan scan = {
		.kernel = kernel,
		.heap = kernel->heap,
		.n_chunks = n_chunks,
		.n_objects = kernel->heap->n_ids,
	};
	struct graph graph = { .n_objects = kernel->heap->n_ids };
	struct kml_error *error = NULL;

	mempools_init(&scan.mempools, kernel);
	scan.owner_to_waiters = owner_to_waiters(kernel->profile);
	scan.pages_source = scan.n_objects + (uint32_t)kernel->roots.size;
	graph.n_sources = scan.pages_source + 1 +
			  (uint32_t)(kernel->end_pfn >> GRAPH_PAGES_SHIFT);
	if (precise)
		error = find_types(&scan, &graph);
	if (!error)
		error = run(&scan, n_chunks, &graph);
	scan_deinit(&scan, n_chunks);
	if (error)
		graph_deinit(&graph);
	else
		*ret = graph;
	return error;
}

void graph_deinit(struct graph *graph)
{
	free(graph->first);
	free(graph->edges);
	free(graph->disregarded);
}

const struct graph_disregarded *
graph_find_disregarded(const struct graph *graph, uint32_t id, size_t *n)
{
	size_t lo = 0, hi = graph->n_disregarded, first;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (graph->disregarded[mid].to < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (first = lo; lo < graph->n_disregarded &&
			 graph->disregarded[lo].to == id;
	     lo++)
		;
	*n = lo - first;
	return graph->disregarded + first;
}

uint32_t graph_source_root(const struct graph *graph,
			   const struct kernel *kernel, uint32_t source)
{
	if (source < graph->n_objects ||
	    source - graph->n_objects >= kernel->roots.size)
		return UINT32_MAX;
	return source - graph->n_objects;
}
