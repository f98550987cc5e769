// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that somebody has claimed, and where the pass will meet them. */
#include "kernel/kernel.h"

#include <stdlib.h>

void kernel_claim_page(struct kernel *kernel, uint64_t pfn,
		       enum page_class class)
{
	if (pfn < kernel->end_pfn)
		kernel->page_class[pfn] = class;
}

struct kml_error *kernel_map_pages(struct kernel *kernel, uint32_t region,
				   uint64_t region_va, uint64_t va,
				   uint64_t pa, uint64_t bytes)
{
	uint64_t done;

	for (done = 0; done < bytes; done += 4096) {
		struct kernel_mapped mapped = {
			.pfn = (pa + done) >> 12,
			.region = region,
			.index = (uint32_t)((va + done - region_va) >> 12),
		};

		/* Above all memory: a device's. */
		if (mapped.pfn >= kernel->end_pfn)
			continue;
		/* An owner maps a page once; page tables may lie. */
		if (kernel->mapped.size >= 2 * kernel->end_pfn) {
			kernel_gap(kernel, "pages that are mapped too often",
				   va, true);
			return NULL;
		}
		kernel_claim_page(kernel, mapped.pfn, PAGE_MAPPED);
		if (!vec_push(&kernel->mapped, mapped))
			return error_nomem();
	}
	return NULL;
}

static int compare_mapped(const void *a, const void *b)
{
	const struct kernel_mapped *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

void kernel_sort_mapped(struct kernel *kernel)
{
	if (kernel->mapped.size)
		qsort(kernel->mapped.data, kernel->mapped.size,
		      sizeof(*kernel->mapped.data), compare_mapped);
}
