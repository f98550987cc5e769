// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where struct page has what, how it says what a page is for, and which of its
 * words may hold an object: all three differ between kernels.
 */
#include "kernel/page_layout.h"

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

struct kml_error *page_layout_load(struct kernel *kernel,
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

/*
 * Which words of a struct page may hold an object depends on what the page is
 * for.  The lru words are also rcu_head: a slab or page that waits for a grace
 * period is a link in the chain of callbacks, and what stands behind it is
 * held by it alone.  Of user pages they link the LRU, which is nobody's owner.
 */
void page_layout_choose_words(struct kernel *kernel,
			      const struct page_layout *l)
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
