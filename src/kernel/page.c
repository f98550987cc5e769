// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page frames: one pass over the array of struct pages (the vmemmap), which
 * says of each page what it is for.  Slabs are found here as well: a full
 * slab is on no list.
 */
#include "kernel/page_layout.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/util.h"

/* Pages read at a time. */
#define BATCH_PAGES 64u

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
	if (order > PAGE_MAX_BLOCK_ORDER + 7 ||
	    pfn & ((UINT64_C(1) << order) - 1)) {
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
	error = page_layout_load(kernel, &pass.layout);
	if (!error) {
		page_layout_choose_words(kernel, &pass.layout);
		error = run_page_pass(&pass);
	}
	vec_deinit(&pass.runs);
	if (!error)
		error = page_claim_pcps(kernel, &pass.layout);
	if (error)
		return error;
	for (i = 0; i < kernel->mapped.size; i++)
		kernel_claim_page(kernel, kernel->mapped.data[i].pfn,
				  PAGE_VMEMMAP);
	return NULL;
}
