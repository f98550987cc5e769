// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of pages in use.
 *
 * What is left once slabs, vmalloc areas, per-cpu units and page tables have
 * taken theirs are blocks that somebody allocated from the page allocator.  A
 * compound page knows its order.  Any other block of several pages has a
 * reference count on its first page alone, and its tails look like nothing at
 * all: not free, not counted.  They are given to the block in front of them,
 * as far as its alignment allows.
 */
#include "kernel/page_layout.h"

#include "base/util.h"

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
	uint64_t pfn = heads[i].pfn, max = UINT64_C(1) << PAGE_MAX_BLOCK_ORDER;
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
	/* A compound page is an allocation of its own. */
	if (!error)
		return hold_rest(kernel, index,
				 head->may_be_split && !head->is_compound, run);
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
