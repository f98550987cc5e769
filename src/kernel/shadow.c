// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KASAN's shadow: a byte for each eight of the kernel's address space.  Its
 * pages are memblock's, for the direct map and the struct pages, and since
 * Linux 5.5 (3c5c3cfb9ef4) the page allocator's, for the vmalloc space: only
 * the page tables of the shadow name them.  What stands in them are states of
 * memory, no addresses.
 *
 * Where there is nothing to say, tables map one page again and again.
 */
#include "kernel/kernel.h"

#include "base/util.h"

struct shadow {
	struct kernel *kernel;
	uint64_t image_pfn, image_end_pfn; /* has the page that is shared */
	uint64_t pages_left; /* mappings that can be looked at yet */
};

static void claim(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct shadow *shadow = arg;
	struct kernel *kernel = shadow->kernel;
	uint64_t pfn = pa / 4096, end;

	(void)va;
	if (pfn >= kernel->end_pfn)
		return;
	end = MIN(pfn + bytes / 4096, kernel->end_pfn);
	end = MIN(end, pfn + shadow->pages_left);
	shadow->pages_left -= end - pfn;
	for (; pfn < end; pfn++) {
		if (pfn >= shadow->image_pfn && pfn < shadow->image_end_pfn)
			continue;
		if (kernel->page_class[pfn] != PAGE_BLOCK &&
		    kernel->page_class[pfn] != PAGE_RESERVED)
			continue;
		kernel_cite(kernel, BUILTIN_KASAN_SHADOW);
		kernel_claim_page(kernel, pfn, PAGE_SHADOW);
	}
}

struct kml_error *kernel_load_shadow(struct kernel *kernel)
{
	struct shadow shadow = {
		.kernel = kernel,
		/* Twice as many as there are, and those of the shared page. */
		.pages_left = kernel->end_pfn * 2 + (1 << 20),
	};
	const struct image_walk walk = {
		.page = claim,
		.arg = &shadow,
		.once = true,
	};
	const struct arch *arch = kernel->arch;
	bool large = image_facts(kernel->image)->page_table_levels == 5;
	struct kml_error *error;
	uint64_t va, missing = 0;

	if (!kernel_has_symbol(kernel, "kasan_early_shadow_page", &va) ||
	    !arch->shadow_va[large])
		return NULL;
	error = kernel_image_pfns(kernel, &shadow.image_pfn,
				  &shadow.image_end_pfn);
	if (!error)
		error = image_walk_tables(kernel->image, 0,
					  arch->shadow_va[large],
					  arch->shadow_end_va[large], &walk,
					  &missing);
	error = kernel_forgive(kernel, error, "shadow of KASAN",
			       arch->shadow_va[large]);
	if (missing || !shadow.pages_left)
		kernel_gap(kernel, "shadow of KASAN", arch->shadow_va[large],
			   true);
	return error;
}
