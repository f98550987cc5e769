/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What page.lru tells of a page that is on no list of the page allocator. */
#ifndef KML_KERNEL_PAGE_LRU_H
#define KML_KERNEL_PAGE_LRU_H

#include "kernel/kernel.h"

struct page_lru {
	struct kernel *kernel;
	struct profile_member lru, index;
	bool marks_lru; /* clear_page_pfmemalloc() clears lru.next, not index */
};

void page_lru_init(struct page_lru *l, struct kernel *kernel,
		   const struct profile_member *lru);

/* Does this look like a page of a split allocation, and not its first? */
bool page_lru_is_split(const struct page_lru *l, uint64_t pfn,
		       const void *page);

/* It may well: the first page of an allocation looks alike, where nothing marks
 * it and the migrate type is 0. */
bool page_lru_may_be_split(const struct page_lru *l, uint64_t pfn,
			   const void *page);

/* Does it have links of a list that it is not on any more? */
bool page_lru_is_stale(const struct page_lru *l, uint64_t pfn,
		       const void *page);

#endif
