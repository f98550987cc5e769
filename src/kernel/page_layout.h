/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Struct page, for the files that read the array of them. */
#ifndef KML_KERNEL_PAGE_LAYOUT_H
#define KML_KERNEL_PAGE_LAYOUT_H

#include "kernel/page_lru.h"

/* Above MAX_ORDER of every kernel. */
#define PAGE_MAX_BLOCK_ORDER 11u

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

/* Where everything is, and which values say what a page is for. */
struct kml_error *page_layout_load(struct kernel *kernel,
				   struct page_layout *l) error_must_check;

/* Set kernel->page_words and the like: the words that are worth following. */
void page_layout_choose_words(struct kernel *kernel,
			      const struct page_layout *l);

/* page_pcp.c: tell free pages on per-CPU lists from other idle ones. */
struct kml_error *page_claim_pcps(struct kernel *kernel,
				  const struct page_layout *l) error_must_check;

#endif
