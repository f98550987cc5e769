// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables.  They refer to each other by physical address, which no scan
 * of words would take for a pointer, and hold no object: so they are found by
 * walking the kernel's tables and those of every address space.
 *
 * Twice: first those that the list of tasks leads to, before the extents of
 * page blocks are guessed, so that a table is not taken for the tail of the
 * block in front of it; then, with the object index, those of all others: of
 * tasks that are exiting, and of address spaces without a task.
 */
#include "kernel/kernel.h"

#include <stdlib.h>

#include "base/util.h"

/* PID_MAX_LIMIT of linux/threads.h */
#define MAX_TASKS (UINT64_C(1) << 22)

struct table_walk {
	struct kernel *kernel;
	struct profile_member pgd;
	struct profile_member tasks, mm, active_mm;
	uint64_t missing;
};

static void claim_table(void *arg, uint64_t pa, unsigned level)
{
	struct kernel *kernel = ((struct table_walk *)arg)->kernel;
	uint64_t pfn = pa >> 12;
	uint32_t index;

	(void)level;
	if (pfn >= kernel->end_pfn || kernel->page_class[pfn] == PAGE_SLAB)
		return;
	if (kernel->page_class[pfn] == PAGE_BLOCK ||
	    kernel->page_class[pfn] == PAGE_RESERVED)
		kernel->page_class[pfn] = PAGE_TABLE;
	index = heap_pfn_region(kernel->heap, pfn);
	/* The page behind a top-level table belongs to it: the user's copy
	 * under page table isolation. */
	if (index != HEAP_NONE &&
	    kernel->heap->regions.data[index].kind == HEAP_PAGES) {
		kernel_cite(kernel, BUILTIN_PAGE_TABLES);
		kernel->heap->regions.data[index].flags |=
			HEAP_NO_SCAN | HEAP_ROOT;
	}
}

static bool is_walked(const struct kernel *kernel, uint64_t pgd)
{
	size_t low = partition_point(kernel->walked_pgds.size, mid,
				     kernel->walked_pgds.data[mid] < pgd);

	return low < kernel->walked_pgds.size &&
	       kernel->walked_pgds.data[low] == pgd;
}

static struct kml_error *walk_pgd(struct table_walk *tables, uint64_t pgd)
{
	struct kernel *kernel = tables->kernel;
	struct image_walk walk = { .table = claim_table, .arg = tables };
	unsigned levels = image_facts(kernel->image)->page_table_levels;

	return image_walk_tables(kernel->image, pgd - kernel->direct_va, 0,
				 kernel->arch->user_end_va[levels == 5], &walk,
				 &tables->missing);
}

static struct kml_error *walk_mm(struct kernel *kernel, void *arg, uint64_t va)
{
	struct table_walk *tables = arg;
	struct kml_error *error;
	uint64_t pgd;

	error = kernel_read_u64(kernel, va + tables->pgd.offset, &pgd);
	if (!error && kernel_is_direct(kernel, pgd) && !is_walked(kernel, pgd))
		error = walk_pgd(tables, pgd);
	return kernel_forgive(kernel, error, "page tables of processes", va);
}

static struct kml_error *note_mm(struct kernel *kernel,
				 const struct table_walk *tables, uint64_t va)
{
	struct kml_error *error;
	uint64_t mm, pgd;

	error = kernel_read_u64(kernel, va, &mm);
	if (error || !mm)
		return error;
	error = kernel_read_u64(kernel, mm + tables->pgd.offset, &pgd);
	if (!error && kernel_is_direct(kernel, pgd) && pgd % 4096 == 0 &&
	    !vec_push(&kernel->walked_pgds, pgd))
		error = error_nomem();
	return error;
}

/*
 * The address spaces of the list of tasks, as far as it can be read: all are
 * looked at later, so that a list that is torn does no harm.
 */
static struct kml_error *note_tasks(struct kernel *kernel,
				    const struct table_walk *tables)
{
	struct kml_error *error;
	uint64_t init_task, va, n = 0;

	error = kernel_symbol(kernel, "init_task", &init_task);
	for (va = init_task; !error && n < MAX_TASKS; n++) {
		error = note_mm(kernel, tables, va + tables->mm.offset);
		if (!error)
			error = note_mm(kernel, tables,
					va + tables->active_mm.offset);
		if (!error)
			error = kernel_read_u64(kernel,
						va + tables->tasks.offset, &va);
		va -= tables->tasks.offset;
		if (!error && va == init_task)
			break;
	}
	if (kml_error_code(error) != KML_ERR_NODATA)
		return error;
	kml_error_destroy(error);
	return NULL;
}

static void sort_walked(struct kernel *kernel)
{
	uint64_t *pgds = kernel->walked_pgds.data;
	size_t i, n = 0;

	if (!kernel->walked_pgds.size)
		return;
	qsort(pgds, kernel->walked_pgds.size, sizeof(*pgds), order_u64);
	for (i = 0; i < kernel->walked_pgds.size; i++) {
		if (!n || pgds[n - 1] != pgds[i])
			pgds[n++] = pgds[i];
	}
	kernel->walked_pgds.size = n;
}

static void count_missing(const struct table_walk *tables)
{
	if (tables->missing)
		kernel_gap(tables->kernel, "page tables", 0, true);
}

struct kml_error *kernel_load_task_tables(struct kernel *kernel)
{
	struct table_walk tables = { .kernel = kernel };
	struct image_walk walk = { .table = claim_table, .arg = &tables };
	const struct kernel_need needs[] = {
		{ "mm_struct", "pgd", &tables.pgd },
		{ "task_struct", "tasks", &tables.tasks },
		{ "task_struct", "mm", &tables.mm },
		{ "task_struct", "active_mm", &tables.active_mm },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);
	size_t i;

	if (!error)
		error = image_walk_tables(kernel->image, 0,
					  kernel->arch->kernel_start_va,
					  UINT64_MAX & ~UINT64_C(4095), &walk,
					  &tables.missing);
	if (!error)
		error = note_tasks(kernel, &tables);
	sort_walked(kernel);
	for (i = 0; !error && i < kernel->walked_pgds.size; i++)
		error = kernel_forgive(kernel,
				       walk_pgd(&tables,
						kernel->walked_pgds.data[i]),
				       "page tables of processes",
				       kernel->walked_pgds.data[i]);
	count_missing(&tables);
	return error;
}

struct kml_error *kernel_load_page_tables(struct kernel *kernel)
{
	struct table_walk tables = { .kernel = kernel };
	struct kml_error *error;

	error = kernel_member(kernel, "mm_struct", "pgd", &tables.pgd);
	if (!error)
		error = kernel_for_each_object(kernel, "mm_cachep", walk_mm,
					       &tables);
	count_missing(&tables);
	return error;
}
