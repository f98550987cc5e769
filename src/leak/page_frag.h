/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that are being cut into fragments (struct page_frag_cache): those of
 * sk_buffs' heads that network drivers receive into, of vhost and the like.
 *
 * The cache has the block's address, and takes thousands of references to it
 * in advance; pagecnt_bias says how many of these it still has, so that the
 * others are those of fragments.  Until Linux 6.13 (0c3ce2f50261) the address
 * is in va; then in encoded_page, with the block's order in its low bits.
 *
 * Found are those of variables and of objects, wherever there is one in a type.
 */
#ifndef KML_LEAK_PAGE_FRAG_H
#define KML_LEAK_PAGE_FRAG_H

#include "leak/infer.h"

struct page_frag {
	uint32_t id;      /* of the block of pages */
	uint64_t word_va; /* of the cache's pointer to it */
	uint64_t bias;    /* references that the cache has */
};

struct page_frags {
	VEC(struct page_frag) all; /* by id; one cache each */
};

/* @infer: with all types. */
struct kml_error *page_frags_find(struct kernel *kernel,
				  const struct graph *graph,
				  struct infer *infer, struct page_frags *ret)
	error_must_check;
void page_frags_deinit(struct page_frags *frags);

/* The one of a block; NULL: there is none. */
const struct page_frag *page_frags_get(const struct page_frags *frags,
				       uint32_t id);

#endif
