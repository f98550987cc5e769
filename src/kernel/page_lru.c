// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * alloc_pages_exact() and other users of split_page() leave pages with a
 * reference count each, of which only the first one's address is kept.  What
 * tells them from pages that were allocated one by one is page.lru: the first
 * page of an allocation was on a list of free pages, so that list_del() has
 * poisoned its links, and later clear_page_pfmemalloc() (since Linux 5.14,
 * c07aea3ef4d4) has cleared lru.next, before that page.index.  The links of
 * the others are as they were initialised at boot, as an earlier use left them,
 * or poisoned both; and page.index is mostly the migrate type with which they
 * were once given back.
 *
 * Links that an earlier use left behind refer to pages that have long been
 * given to somebody else: they hold nothing.  What tells them from an owner's
 * list is that the neighbours don't point back.
 */
#include "kernel/page_lru.h"

#include "base/util.h"

/* Above MIGRATE_TYPES of every kernel. */
#define MAX_MIGRATE_TYPES 8u

struct links {
	uint64_t self; /* address of the struct page */
	uint64_t next, prev;
};

void page_lru_init(struct page_lru *l, struct kernel *kernel,
		   const struct profile_member *lru)
{
	struct profile_member unused;

	*l = (struct page_lru){ .kernel = kernel, .lru = *lru };
	/* The two came together in Linux 5.14 (c07aea3ef4d4);
	 * page.pp_magic became netmem_desc.pp_magic later. */
	l->marks_lru =
		profile_member(kernel->profile, "page", "pp_magic", &unused) ||
		profile_member(kernel->profile, "netmem_desc", "pp_magic",
			       &unused) ||
		!profile_member(kernel->profile, "page", "index", &l->index);
}

static struct links get_links(const struct page_lru *l, uint64_t pfn,
			      const void *page)
{
	const char *lru = (const char *)page + l->lru.offset;

	return (struct links){
		.self = l->kernel->vmemmap_va +
			pfn * l->kernel->page_struct_bytes,
		.next = load_u64(lru),
		.prev = load_u64(lru + 8),
	};
}

/* Does the list that the page may be on have it? */
static bool is_linked(const struct page_lru *l, const struct links *links)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t lru_va = links->self + l->lru.offset, forth, back;

	error = kernel_read_u64(l->kernel, links->next + 8, &back);
	if (!error)
		error = kernel_read_u64(l->kernel, links->prev, &forth);
	return !error && forth == lru_va && back == lru_va;
}

/* The lru of another page? */
static bool is_page_lru(const struct page_lru *l, uint64_t va)
{
	uint64_t offset = va - l->kernel->vmemmap_va;

	return offset / l->kernel->page_struct_bytes < l->kernel->end_pfn &&
	       offset % l->kernel->page_struct_bytes == l->lru.offset;
}

bool page_lru_is_split(const struct page_lru *l, uint64_t pfn,
		       const void *page)
{
	const struct links links = get_links(l, pfn, page);
	uint64_t bytes = l->kernel->page_struct_bytes, index;
	const uint64_t *poison = l->kernel->arch->list_poison;
	bool poisoned = links.next == poison[0] && links.prev == poison[1];

	/* Its owner may have it on a list of his own; but nobody has it on one
	 * that is empty. */
	if (links.prev != poison[1] &&
	    (links.next - links.self < bytes ||
	     links.prev - links.self < bytes || links.prev % 8 ||
	     links.prev < l->kernel->direct_va))
		return true;
	if (l->marks_lru)
		return poisoned;
	if (page_lru_is_stale(l, pfn, page))
		return true;
	index = kernel_get(page, &l->index);
	return index && index < MAX_MIGRATE_TYPES &&
	       (poisoned || !is_linked(l, &links));
}

bool page_lru_may_be_split(const struct page_lru *l, uint64_t pfn,
			   const void *page)
{
	const struct links links = get_links(l, pfn, page);
	const uint64_t *poison = l->kernel->arch->list_poison;

	return !l->marks_lru && links.next == poison[0] &&
	       links.prev == poison[1];
}

bool page_lru_is_stale(const struct page_lru *l, uint64_t pfn,
		       const void *page)
{
	const struct links links = get_links(l, pfn, page);

	return (is_page_lru(l, links.next) || is_page_lru(l, links.prev)) &&
	       !is_linked(l, &links);
}
