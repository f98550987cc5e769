// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables.  They refer to each other by physical address, which no scan
 * of words would take for a pointer, and hold no object: so they are found by
 * walking the kernel's tables and those of every address space.
 */
#include "kernel/kernel.h"

#include "base/util.h"

struct table_walk {
	struct kernel *kernel;
	struct profile_member pgd;
	uint64_t missing;
};

static void claim_table(void *arg, uint64_t pa, unsigned level)
{
	struct kernel *kernel = ((struct table_walk *)arg)->kernel;
	uint64_t pfn = pa >> 12;
	uint32_t index = heap_pfn_region(kernel->heap, pfn);

	(void)level;
	if (pfn >= kernel->end_pfn || kernel->page_class[pfn] == PAGE_SLAB)
		return;
	if (kernel->page_class[pfn] == PAGE_BLOCK ||
	    kernel->page_class[pfn] == PAGE_RESERVED)
		kernel->page_class[pfn] = PAGE_TABLE;
	/* The page behind a top-level table belongs to it: the user's copy
	 * under page table isolation. */
	if (index != HEAP_NONE &&
	    kernel->heap->regions.data[index].kind == HEAP_PAGES) {
		kernel_cite(kernel, BUILTIN_PAGE_TABLES);
		kernel->heap->regions.data[index].flags |=
			HEAP_NO_SCAN | HEAP_ROOT;
	}
}

static struct kml_error *walk_mm(struct kernel *kernel, void *arg, uint64_t va)
{
	struct table_walk *tables = arg;
	struct image_walk walk = { .table = claim_table, .arg = tables };
	unsigned levels = image_facts(kernel->image)->page_table_levels;
	struct kml_error *error;
	uint64_t pgd;

	error = kernel_read_u64(kernel, va + tables->pgd.offset, &pgd);
	if (!error && !kernel_is_direct(kernel, pgd))
		return NULL;
	if (!error)
		error = image_walk_tables(kernel->image, pgd - kernel->direct_va,
					  0, UINT64_C(1) << (levels == 5 ? 56 : 47),
					  &walk, &tables->missing);
	return kernel_forgive(kernel, error, "page tables of processes", va);
}

struct kml_error *kernel_load_page_tables(struct kernel *kernel)
{
	struct table_walk tables = { .kernel = kernel };
	struct image_walk walk = { .table = claim_table, .arg = &tables };
	struct kml_error *error;

	error = kernel_member(kernel, "mm_struct", "pgd", &tables.pgd);
	if (!error)
		error = image_walk_tables(kernel->image, 0,
					  UINT64_C(0xff00000000000000),
					  UINT64_MAX & ~UINT64_C(4095), &walk,
					  &tables.missing);
	if (!error)
		error = kernel_for_each_object(kernel, "mm_cachep", walk_mm,
					       &tables);
	if (!error && tables.missing)
		kernel_gap(kernel, "page tables", 0, true);
	return error;
}
