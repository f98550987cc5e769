// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page frames: one pass over the array of struct pages (the vmemmap), which
 * says of each page what it is for.  Slabs are found here as well: a full
 * slab is on no list.
 *
 * What is left once slabs, vmalloc areas, per-cpu units and page tables have
 * taken theirs are blocks that somebody allocated from the page allocator.  A
 * compound page knows its order.  Any other block of several pages has a
 * reference count on its first page alone, and its tails look like nothing at
 * all: not free, not counted.  They are given to the block in front of them,
 * as far as its alignment allows.
 */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/page_lru.h"

/* Pages read at a time. */
#define BATCH_PAGES 64u
/* Above MAX_ORDER of every kernel. */
#define MAX_BLOCK_ORDER 11u
/* On one per-CPU list of free pages; the kernel keeps thousands at most. */
#define MAX_PCP_PAGES (UINT64_C(1) << 20)

struct page_layout {
	struct profile_member flags, lru, mapping, private, memcg_data,
		refcount, page_type, compound_order;
	struct page_lru links;
	bool has_memcg_data;
	uint64_t pg_reserved, pg_lru, pg_slab, pg_head; /* masks */
	/* A page is free, or a slab, if its page_type has this value under
	 * this mask; mask 0: not told by page_type. */
	uint32_t type_mask, buddy_type, slab_type_mask, slab_type;
	uint32_t large_type, table_type; /* with slab_type_mask; 0: none */
};

struct run {
	uint64_t va, pa, bytes;
};

struct page_pass {
	struct kernel *kernel;
	struct page_layout layout;
	VEC(struct run) runs;
	bool nomem;
	uint64_t skip_until; /* pages below are tails of a compound page... */
	uint8_t tail_class;  /* ... of this class */
};

static struct kml_error *flag_mask(struct kernel *kernel, const char *name,
				   uint64_t *ret)
{
	int64_t bit;

	if (!profile_enumerator(kernel->profile, name, &bit) || bit < 0 ||
	    bit > 63)
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no page flag '%s'", name);
	*ret = UINT64_C(1) << bit;
	return NULL;
}

/*
 * Free pages and slabs are told by page_type: since Linux 6.12 (4ffca5a96678)
 * its highest byte is one of enum pagetype, before that each type clears a bit.
 * Slabs had a page flag until 6.10 (46df8e73a4a3).  The values of before are
 * macros, hence not in DWARF; VMCOREINFO has that of free pages for
 * makedumpfile's sake.
 */
static struct kml_error *load_page_types(struct kernel *kernel,
					 struct page_layout *l)
{
	int64_t buddy, slab, type;

	if (profile_enumerator(kernel->profile, "PGTY_buddy", &buddy) &&
	    profile_enumerator(kernel->profile, "PGTY_slab", &slab)) {
		l->type_mask = l->slab_type_mask = 0xff000000;
		l->buddy_type = (uint32_t)buddy << 24;
		l->slab_type = (uint32_t)slab << 24;
		/* Pages of these may be frozen: have a reference count of 0
		 * (since Linux 6.14, 49249a2a5eeb). */
		if (profile_enumerator(kernel->profile, "PGTY_large_kmalloc",
				       &type))
			l->large_type = (uint32_t)type << 24;
		if (profile_enumerator(kernel->profile, "PGTY_table", &type))
			l->table_type = (uint32_t)type << 24;
		return NULL;
	}
	if (!image_vmcoreinfo_number(kernel->image,
				     "PAGE_BUDDY_MAPCOUNT_VALUE", &buddy))
		return error_new(KML_ERR_UNSUPPORTED,
				 "VMCOREINFO lacks 'PAGE_BUDDY_MAPCOUNT_VALUE'");
	l->type_mask = UINT32_MAX;
	l->buddy_type = (uint32_t)buddy;
	if (image_vmcoreinfo_number(kernel->image, "PAGE_SLAB_MAPCOUNT_VALUE",
				    &slab)) {
		l->slab_type_mask = UINT32_MAX;
		l->slab_type = (uint32_t)slab;
		return NULL;
	}
	return flag_mask(kernel, "PG_slab", &l->pg_slab);
}

/* The order of a compound page is in its second struct page: a byte of its own
 * until Linux 6.6 (ebc1baf5c9b4), then the low byte of that page's flags. */
static struct kml_error *load_compound_order(struct kernel *kernel,
					     struct page_layout *l)
{
	if (profile_member(kernel->profile, "page", "compound_order",
			   &l->compound_order))
		return NULL;
	/* Both are members of struct folio, which is two struct pages. */
	if (!profile_member(kernel->profile, "folio", "_folio_order",
			    &l->compound_order) &&
	    !profile_member(kernel->profile, "folio", "_flags_1",
			    &l->compound_order))
		return error_new(KML_ERR_UNSUPPORTED,
				 "this kernel keeps the order of compound pages in a way that is not handled");
	if (l->compound_order.offset < kernel->page_struct_bytes ||
	    l->compound_order.offset + l->compound_order.size >
		    2 * kernel->page_struct_bytes)
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has the order of a compound page outside of its second struct page");
	l->compound_order.offset -= kernel->page_struct_bytes;
	return NULL;
}

static struct kml_error *load_layout(struct kernel *kernel,
				     struct page_layout *l)
{
	const struct kernel_need needs[] = {
		{ "page", "flags", &l->flags },
		{ "page", "lru", &l->lru },
		{ "page", "mapping", &l->mapping },
		{ "page", "private", &l->private },
		{ "page", "_refcount", &l->refcount },
		{ "page", "page_type", &l->page_type },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = flag_mask(kernel, "PG_reserved", &l->pg_reserved);
	if (!error)
		error = flag_mask(kernel, "PG_lru", &l->pg_lru);
	if (!error)
		error = flag_mask(kernel, "PG_head", &l->pg_head);
	if (!error)
		error = load_page_types(kernel, l);
	if (!error)
		error = load_compound_order(kernel, l);
	if (error)
		return error;
	page_lru_init(&l->links, kernel, &l->lru);
	l->has_memcg_data = profile_member(kernel->profile, "page",
					   "memcg_data", &l->memcg_data) ||
			    profile_member(kernel->profile, "page",
					   "obj_cgroups", &l->memcg_data) ||
			    profile_member(kernel->profile, "slab", "obj_exts",
					   &l->memcg_data);
	return NULL;
}

static void word_bit(uint16_t *mask, const struct profile_member *member)
{
	uint64_t i;

	for (i = 0; i < member->size / 8; i++)
		*mask |= (uint16_t)(1u << (member->offset / 8 + i));
}

/*
 * Which words of a struct page may hold an object depends on what the page is
 * for.  The lru words are also rcu_head: a slab or page that waits for a grace
 * period is a link in the chain of callbacks, and what stands behind it is
 * held by it alone.  Of user pages they link the LRU, which is nobody's owner.
 */
/* A slab that waits for RCU is a link in a chain of callbacks; otherwise that
 * word is of another list, or of none. */
static uint16_t choose_slab_word(struct kernel *kernel,
				 const struct page_layout *l)
{
	struct profile_member head;
	uint16_t lru = 0;

	word_bit(&lru, &l->lru);
	if (!profile_member(kernel->profile, "slab", "callback_head", &head) &&
	    !profile_member(kernel->profile, "page", "callback_head", &head))
		return lru;
	kernel_has_symbol(kernel, "rcu_free_slab", &kernel->rcu_free_slab);
	kernel->slab_rcu_word = (unsigned)(head.offset / 8);
	return (uint16_t)(1u << kernel->slab_rcu_word);
}

static void choose_words(struct kernel *kernel, const struct page_layout *l)
{
	uint16_t memcg = 0, data = 0, lru = 0, word_index;
	uint16_t *words = kernel->page_words;

	if (l->has_memcg_data)
		word_bit(&memcg, &l->memcg_data);
	word_bit(&data, &l->private);
	word_bit(&data, &l->mapping);
	word_bit(&lru, &l->lru);
	kernel_cite(kernel, BUILTIN_ANON_MAPPING);
	kernel_cite(kernel, BUILTIN_STALE_LRU);
	kernel_cite(kernel, BUILTIN_STALE_FREELIST);
	kernel->mapping_word = (unsigned)(l->mapping.offset / 8);
	kernel->lru_words = lru;
	/* page->index is pt_mm of a page table and a driver's word elsewhere */
	word_index = (uint16_t)(1u << (l->mapping.offset / 8 + 1));
	words[PAGE_USER] = memcg | data;
	words[PAGE_SLAB] = memcg | choose_slab_word(kernel, l);
	words[PAGE_BLOCK] = memcg | data | lru | word_index;
	/* What is written into a struct page when a block is handed out, is so
	 * into the first; lru of the others is what it was when they were on a
	 * list of free pages. */
	kernel->later_page_words = memcg | data;
	words[PAGE_TABLE] = memcg | lru;
	words[PAGE_RESERVED] = data | lru;
	words[PAGE_MAPPED] = memcg | data | lru;
}

/* Said by page_type (not of 6.12 and older). */
static bool is_large(const struct page_layout *l, const void *page)
{
	uint32_t type = (uint32_t)kernel_get(page, &l->page_type);

	return l->large_type && (type & l->slab_type_mask) == l->large_type;
}

static bool add_head(struct page_pass *pass, uint64_t pfn, unsigned order,
		     bool is_slab, const void *page)
{
	struct kernel_page_head head = {
		.pfn = pfn,
		.n_pages = 1u << order,
		.is_slab = is_slab,
		.is_large = is_large(&pass->layout, page),
		.is_compound = (kernel_get(page, &pass->layout.flags) &
				pass->layout.pg_head) != 0,
		.is_split = page_lru_is_split(&pass->layout.links, pfn, page),
		.may_be_split = page_lru_may_be_split(&pass->layout.links, pfn,
						      page),
	};

	return vec_push(&pass->kernel->heads, head);
}

/* What a page is for, by its struct page alone. */
static enum page_class classify(const struct page_layout *l, const void *page)
{
	uint64_t flags = kernel_get(page, &l->flags);
	uint64_t refcount = kernel_get(page, &l->refcount);
	uint32_t type = (uint32_t)kernel_get(page, &l->page_type);

	if (flags & l->pg_slab ||
	    (l->slab_type_mask && (type & l->slab_type_mask) == l->slab_type))
		return PAGE_SLAB;
	if (flags & l->pg_reserved)
		return PAGE_RESERVED;
	if (is_large(l, page))
		return PAGE_BLOCK;
	if (l->table_type && (type & l->slab_type_mask) == l->table_type)
		return PAGE_TABLE;
	if (!refcount)
		return (type & l->type_mask) == l->buddy_type ? PAGE_FREE :
								PAGE_IDLE;
	if (flags & l->pg_lru || kernel_get(page, &l->mapping))
		return PAGE_USER;
	return PAGE_BLOCK;
}

/* The order of a block that starts with @page; @next is the page behind. */
static unsigned block_order(const struct page_pass *pass, uint64_t pfn,
			    enum page_class class, const void *page,
			    const void *next)
{
	const struct page_layout *l = &pass->layout;
	uint64_t order;

	if (class == PAGE_FREE)
		order = kernel_get(page, &l->private);
	else if (kernel_get(page, &l->flags) & l->pg_head && next)
		order = kernel_get(next, &l->compound_order) & 0xff;
	else
		return 0;
	/* A block is aligned to its size: else the struct page lies. */
	if (order > MAX_BLOCK_ORDER + 7 || pfn & ((UINT64_C(1) << order) - 1)) {
		kernel_gap(pass->kernel, "page blocks of an impossible order",
			   pass->kernel->direct_va + pfn * 4096, true);
		return 0;
	}
	return (unsigned)order;
}

static struct kml_error *look_at_page(struct page_pass *pass, uint64_t pfn,
				      const void *page, const void *next)
{
	struct kernel *kernel = pass->kernel;
	const struct page_layout *l = &pass->layout;
	enum page_class class;
	unsigned order;

	if (pfn < pass->skip_until) {
		kernel->page_class[pfn] = pass->tail_class;
		return NULL;
	}
	class = classify(l, page);
	order = block_order(pass, pfn, class, page, next);
	kernel->page_class[pfn] = (uint8_t)class;
	if ((class == PAGE_BLOCK || class == PAGE_IDLE) &&
	    page_lru_is_stale(&l->links, pfn, page))
		bitmap_set(kernel->stale_lru, pfn);
	pass->skip_until = pfn + (UINT64_C(1) << order);
	pass->tail_class = (uint8_t)class;
	if (class != PAGE_SLAB && class != PAGE_BLOCK)
		return NULL;
	if (!add_head(pass, pfn, order, class == PAGE_SLAB, page))
		return error_nomem();
	return NULL;
}

static void collect_run(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct page_pass *pass = arg;
	struct run run = { va, pa, bytes };

	if (!vec_push(&pass->runs, run))
		pass->nomem = true;
}

/* The struct pages of one batch of vmemmap pages. */
static struct kml_error *look_at_batch(struct page_pass *pass, uint64_t va,
				       const char *buf, unsigned n_pages,
				       uint64_t missing)
{
	uint64_t bytes = pass->kernel->page_struct_bytes;
	uint64_t first = (va - pass->kernel->vmemmap_va) / bytes;
	uint64_t n = n_pages * 4096u / bytes, i;
	struct kml_error *error = NULL;

	for (i = 0; !error && i < n && first + i < pass->kernel->end_pfn; i++) {
		const char *page = buf + i * bytes;

		if (missing >> (i * bytes / 4096) & 1) {
			if (i * bytes % 4096 == 0)
				kernel_gap(pass->kernel,
					   "pages of the struct page array not in the dump",
					   va + i * bytes, true);
			continue;
		}
		/* A compound page's second struct page is on the same page of
		 * the array: blocks are aligned. */
		error = look_at_page(pass, first + i, page,
				     i + 1 < n ? page + bytes : NULL);
	}
	return error;
}

static struct kml_error *look_at_run(struct page_pass *pass,
				     struct image_reader *reader, char *buf,
				     const struct run *run)
{
	struct kernel *kernel = pass->kernel;
	struct kml_error *error = NULL;
	uint64_t done, missing, i;

	for (done = 0; !error && done < run->bytes; done += BATCH_PAGES * 4096) {
		unsigned n = (unsigned)MIN((run->bytes - done) / 4096,
					   (uint64_t)BATCH_PAGES);
		uint64_t pfn = (run->pa + done) >> 12;

		error = message_progress(kernel->messenger, "struct pages",
					 (run->va + done - kernel->vmemmap_va) /
						 kernel->page_struct_bytes,
					 kernel->end_pfn);
		if (!error)
			error = image_reader_pages(reader, pfn, n, buf, &missing);
		if (!error)
			error = look_at_batch(pass, run->va + done, buf, n,
					      missing);
		for (i = 0; !error && i < n; i++) {
			struct kernel_mapped mapped = {
				.pfn = pfn + i,
				.region = KERNEL_VMEMMAP_REGION,
				.index = (uint32_t)((run->va + done -
						     kernel->vmemmap_va) / 4096 + i),
			};

			if (!vec_push(&kernel->mapped, mapped))
				error = error_nomem();
		}
	}
	return error;
}

/* ---- per-CPU lists of free pages */

struct pcp_walk {
	uint64_t lru_offset;
	unsigned order;
};

static struct kml_error *claim_pcp(struct kernel *kernel, void *arg,
				   uint64_t node_va)
{
	const struct pcp_walk *walk = arg;
	uint64_t pfn = (node_va - walk->lru_offset - kernel->vmemmap_va) /
		       kernel->page_struct_bytes;
	uint64_t i;

	for (i = 0; i < UINT64_C(1) << walk->order; i++) {
		if (pfn + i < kernel->end_pfn &&
		    kernel->page_class[pfn + i] == PAGE_IDLE)
			kernel->page_class[pfn + i] = PAGE_PCP;
	}
	return NULL;
}

static struct kml_error *walk_pcp(struct kernel *kernel,
				  const struct page_layout *l, uint64_t pcp_va,
				  const struct profile_member *lists,
				  unsigned per_order)
{
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < lists->count; i++) {
		struct pcp_walk walk = {
			.lru_offset = l->lru.offset,
			/* order_to_pindex(): since Linux 5.14 (44042b449872)
			 * lists by order, the last for huge pages */
			.order = (unsigned)(i / per_order > 3 ? 9 : i / per_order),
		};

		error = kernel_walk_list(kernel, pcp_va + lists->offset + i * 16,
					 MAX_PCP_PAGES, "torn per-CPU page lists",
					 claim_pcp, &walk);
	}
	return error;
}

static struct kml_error *walk_zone_pcps(struct kernel *kernel,
					const struct page_layout *l,
					uint64_t zone_va)
{
	struct profile_member pageset, lists;
	int64_t per_order = 3;
	struct kml_error *error = NULL;
	uint64_t pcp;
	unsigned cpu;

	/* zone.pageset until Linux 5.14 (28f836b6777b); per_cpu_pages is the
	 * first member of what it points to */
	if (!profile_member(kernel->profile, "zone", "pageset", &pageset))
		error = kernel_member(kernel, "zone", "per_cpu_pageset",
				      &pageset);
	if (!error)
		error = kernel_member(kernel, "per_cpu_pages", "lists", &lists);
	if (!error)
		error = kernel_read_u64(kernel, zone_va + pageset.offset, &pcp);
	profile_enumerator(kernel->profile, "MIGRATE_PCPTYPES", &per_order);
	for (cpu = 0; !error && pcp && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = walk_pcp(kernel, l, pcp + kernel->cpu_offset[cpu],
					 &lists, (unsigned)MAX(per_order, 1));
	}
	return error;
}

static struct kml_error *walk_node_pcps(struct kernel *kernel,
					const struct page_layout *l,
					uint64_t node_va)
{
	struct profile_member zones;
	struct kml_error *error;
	uint64_t zone_bytes, i;

	error = kernel_member(kernel, "pglist_data", "node_zones", &zones);
	if (!error)
		error = kernel_type_size(kernel, "zone", &zone_bytes);
	for (i = 0; !error && i < zones.count; i++)
		error = walk_zone_pcps(kernel, l, node_va + zones.offset +
							  i * zone_bytes);
	return kernel_forgive(kernel, error, "zones", node_va);
}

static struct kml_error *walk_pcps(struct kernel *kernel,
				   const struct page_layout *l)
{
	struct kml_error *error = NULL;
	uint64_t va, size, i, node;

	/* contig_page_data without CONFIG_NUMA, node_data[] with it. */
	if (kernel_has_symbol(kernel, "contig_page_data", &va))
		return walk_node_pcps(kernel, l, va);
	error = kernel_symbol(kernel, "node_data", &va);
	if (error || !profile_symbol(kernel->profile, "node_data", &i, &size))
		return error;
	for (i = 0; !error && i < size / 8; i++) {
		error = kernel_read_u64(kernel, va + i * 8, &node);
		if (!error && node)
			error = walk_node_pcps(kernel, l, node);
	}
	return error;
}

/* ---- entry points */

static struct kml_error *run_page_pass(struct page_pass *pass)
{
	struct kernel *kernel = pass->kernel;
	uint64_t end_va = kernel->vmemmap_va +
			  kernel->end_pfn * kernel->page_struct_bytes;
	struct image_walk walk = { .page = collect_run, .arg = pass };
	struct image_reader *reader;
	_cleanup_free_ char *buf = malloc(BATCH_PAGES * 4096);
	struct kml_error *error;
	uint64_t missing = 0;
	size_t i;

	if (!buf)
		return error_nomem();
	error = image_walk_tables(kernel->image, 0, kernel->vmemmap_va,
				  align_up(end_va, 4096), &walk, &missing);
	if (!error && pass->nomem)
		error = error_nomem();
	if (error)
		return error;
	if (missing)
		kernel_gap(kernel, "page tables of the struct page array",
			   kernel->vmemmap_va, true);
	if (!pass->runs.size)
		return error_at(KML_ERR_CORRUPT, kernel->vmemmap_va,
				"no struct page at 0x%" PRIx64 ": the dump does not match its vmlinux",
				kernel->vmemmap_va);
	error = image_reader_create(kernel->image, &reader);
	if (error)
		return error;
	for (i = 0; !error && i < pass->runs.size; i++)
		error = look_at_run(pass, reader, buf, &pass->runs.data[i]);
	image_reader_destroy(reader);
	return error;
}

struct kml_error *kernel_load_pages(struct kernel *kernel)
{
	struct page_pass pass = { .kernel = kernel };
	struct kml_error *error;
	size_t i;

	if (!kernel->page_struct_bytes || 4096 % kernel->page_struct_bytes)
		return error_new(KML_ERR_UNSUPPORTED,
				 "struct page has %" PRIu64 " bytes",
				 kernel->page_struct_bytes);
	kernel->page_class = calloc(MAX(kernel->end_pfn, 1), 1);
	kernel->stale_lru = bitmap_alloc(kernel->end_pfn);
	if (!kernel->page_class || !kernel->stale_lru)
		return error_nomem();
	error = load_layout(kernel, &pass.layout);
	if (!error) {
		choose_words(kernel, &pass.layout);
		error = run_page_pass(&pass);
	}
	vec_deinit(&pass.runs);
	if (!error)
		error = walk_pcps(kernel, &pass.layout);
	if (error)
		return error;
	for (i = 0; i < kernel->mapped.size; i++)
		kernel_claim_page(kernel, kernel->mapped.data[i].pfn,
				  PAGE_VMEMMAP);
	return NULL;
}

/*
 * How many pages the uncompound block of heads.data[@i] has: itself and what
 * follows without a gap, idle pages and later pages of a split allocation, up
 * to a power of two that its alignment allows.  *@n_heads: how many entries of
 * heads that takes.
 */
static uint32_t guess_block_pages(const struct kernel *kernel, size_t i,
				  size_t *n_heads)
{
	const struct kernel_page_head *heads = kernel->heads.data;
	uint64_t pfn = heads[i].pfn, max = UINT64_C(1) << MAX_BLOCK_ORDER;
	uint64_t run = 1;
	bool split = false;
	size_t next = i + 1;

	if (pfn)
		max = MIN(max, pfn & -pfn);
	while (run < max && pfn + run < kernel->end_pfn) {
		if (next < kernel->heads.size && heads[next].pfn == pfn + run &&
		    heads[next].is_split && !heads[next].is_compound &&
		    kernel->page_class[pfn + run] == PAGE_BLOCK) {
			split = true;
			next++;
		} else if (kernel->page_class[pfn + run] != PAGE_IDLE || split) {
			break;
		}
		run++;
	}
	*n_heads = next - i;
	/* A split allocation may end anywhere, another is a power of two. */
	if (!split)
		run = UINT64_C(1) << (63 - __builtin_clzll(run));
	return (uint32_t)run;
}

/* A split allocation, as far as it has been seen. */
struct split_run {
	uint32_t id;        /* of its last block that is beyond doubt */
	uint64_t next_pfn;  /* behind what has been seen of it */
	uint64_t limit_pfn; /* where its alignment ends it */
};

/*
 * Some page in the middle of a split allocation may look like a first one: it
 * was one once, and went back to the allocator as part of a larger block.  And
 * some look like any other page.
 * A split block that follows another without a gap, as far as the alignment of
 * the first allows, may be the rest of it, and is taken to be held by it: by
 * the last such block, as another allocation may have started in between.
 */
static struct kml_error *hold_rest(struct kernel *kernel, uint32_t index,
				   bool may_be_split, struct split_run *run)
{
	const struct heap_region *r = &kernel->heap->regions.data[index];
	uint64_t pfn = (r->va - kernel->direct_va) / 4096;
	uint64_t end = pfn + r->bytes / 4096;
	struct kernel_edge edge = { .from = run->id, .to = r->first_id };

	if (!(r->flags & HEAP_SPLIT) &&
	    !(may_be_split && pfn == run->next_pfn))
		return NULL;
	if (pfn == run->next_pfn && end <= run->limit_pfn) {
		run->next_pfn = end;
		kernel_cite(kernel, BUILTIN_SPLIT_BLOCKS);
		if (r->flags & HEAP_SPLIT)
			run->id = r->first_id;
		return vec_push(&kernel->edges, edge) ? NULL : error_nomem();
	}
	if (!(r->flags & HEAP_SPLIT))
		return NULL;
	*run = (struct split_run){ r->first_id, end, pfn + (pfn & -pfn) };
	return NULL;
}

static struct kml_error *add_block(struct kernel *kernel, size_t i,
				   size_t *n_heads, struct split_run *run)
{
	struct kernel_page_head *head = &kernel->heads.data[i];
	struct heap_region region = {
		.va = kernel->direct_va + head->pfn * 4096,
		.n_objects = 1,
		.kind = HEAP_PAGES,
		.flags = (head->is_compound ? HEAP_COMPOUND : 0) |
			 (head->is_large ? HEAP_LARGE : 0) |
			 (head->is_unknown ? HEAP_ROOT : 0),
	};
	struct kml_error *error;
	uint32_t index;
	uint64_t page;

	*n_heads = 1;
	if (!head->is_compound) {
		head->n_pages = guess_block_pages(kernel, i, n_heads);
		if (head->n_pages > 1)
			region.flags |= HEAP_GUESSED;
		if (*n_heads > 1)
			region.flags |= HEAP_SPLIT;
	}
	if (head->pfn + head->n_pages > kernel->end_pfn)
		head->n_pages = (uint32_t)(kernel->end_pfn - head->pfn);
	region.bytes = region.object_bytes = (uint64_t)head->n_pages * 4096;
	region.owner = head->n_pages;
	for (page = 0; page < head->n_pages; page++)
		kernel->page_class[head->pfn + page] = PAGE_BLOCK;
	error = heap_add(kernel->heap, &region, &index);
	if (!error)
		return hold_rest(kernel, index, head->may_be_split, run);
	return kernel_forgive(kernel, error,
			      "page blocks that overlap something else",
			      region.va);
}

struct kml_error *kernel_load_blocks(struct kernel *kernel)
{
	struct split_run run = { 0 };
	struct kml_error *error = NULL;
	size_t i, n;

	for (i = 0; !error && i < kernel->heads.size; i += n) {
		const struct kernel_page_head *head = &kernel->heads.data[i];

		/* Somebody else may have claimed it meanwhile. */
		n = 1;
		if (!head->is_slab && kernel->page_class[head->pfn] == PAGE_BLOCK)
			error = add_block(kernel, i, &n, &run);
	}
	vec_deinit(&kernel->heads);
	return error;
}
