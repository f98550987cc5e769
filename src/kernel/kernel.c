// SPDX-License-Identifier: GPL-2.0-or-later
/* All that is loaded of the kernel, in order: first of all its addresses. */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "kernel/track.h"

/* A base address that KASLR moves, or @otherwise where it does not. */
static struct kml_error *read_range(struct kernel *kernel,
				    const struct arch_range *range,
				    bool five_levels, uint64_t *ret)
{
	struct kml_error *error;
	uint64_t va;

	if (!kernel_has_symbol(kernel, range->symbol, &va)) {
		*ret = range->fixed_va[five_levels];
		return NULL;
	}
	error = kernel_read_u64(kernel, va, ret);
	if (error)
		return error_prefix(error, "cannot read '%s'", range->symbol);
	if (*ret < kernel->arch->kernel_start_va || *ret % 4096)
		return error_at(KML_ERR_CORRUPT, va,
				"'%s' is 0x%" PRIx64 ", which is no kernel address; is this the kernel's vmlinux?",
				range->symbol, *ret);
	return NULL;
}

static struct kml_error *load_address_space(struct kernel *kernel)
{
	const struct image_facts *facts = image_facts(kernel->image);
	const struct arch *arch = facts->arch;
	bool five = facts->page_table_levels == 5;
	struct kml_error *error;

	kernel->arch = arch;
	kernel->kaslr_offset = facts->kaslr_offset;
	kernel->end_pfn = facts->end_pfn;
	kernel->image_va = facts->kernel_va;
	error = read_range(kernel, &arch->direct, five, &kernel->direct_va);
	if (!error)
		error = read_range(kernel, &arch->vmalloc, five,
				   &kernel->vmalloc_va);
	if (!error)
		error = read_range(kernel, &arch->vmemmap, five,
				   &kernel->vmemmap_va);
	if (error)
		return error;
	kernel->direct_end_va = kernel->direct_va + kernel->end_pfn * 4096;
	kernel->vmalloc_end_va = kernel->vmalloc_va + arch->vmalloc_bytes[five];
	kernel->modules_va = facts->kernel_end_va;
	kernel->modules_end_va = arch->modules_end_va;
	image_set_direct_map(kernel->image, kernel->direct_va,
			     kernel->direct_end_va);
	return kernel_type_size(kernel, "page", &kernel->page_struct_bytes);
}

static struct kml_error *load_cpus(struct kernel *kernel)
{
	uint64_t va, nr_cpu_ids, possible[128] = { 0 }, i;
	struct kml_error *error;

	error = kernel_symbol(kernel, "nr_cpu_ids", &va);
	if (!error)
		error = kernel_read_uint(kernel, va, 4, &nr_cpu_ids);
	if (error)
		return error;
	if (nr_cpu_ids < 1 || nr_cpu_ids > 8192)
		return error_at(KML_ERR_CORRUPT, va,
				"nr_cpu_ids is %" PRIu64, nr_cpu_ids);
	kernel->n_cpus = (unsigned)nr_cpu_ids;
	kernel->cpu_offset = calloc(nr_cpu_ids, sizeof(*kernel->cpu_offset));
	if (!kernel->cpu_offset)
		return error_nomem();
	error = kernel_symbol(kernel, "__cpu_possible_mask", &va);
	if (!error)
		error = image_read_va(kernel->image, va, possible,
				      (nr_cpu_ids + 63) / 64 * 8);
	if (!error)
		error = kernel_symbol(kernel, "__per_cpu_offset", &va);
	for (i = 0; !error && i < nr_cpu_ids; i++) {
		if (bitmap_test(possible, i))
			error = kernel_read_u64(kernel, va + i * 8,
						&kernel->cpu_offset[i]);
	}
	if (!error)
		error = kernel_symbol(kernel, "__per_cpu_start",
				      &kernel->percpu_start);
	return error;
}

static void load_uts_name(struct kernel *kernel)
{
	static const char *const names[] = { "release", "version", "machine",
					     "nodename" };
	char *to[] = { kernel->release, kernel->version, kernel->machine,
		       kernel->node };
	struct profile_member name, member;
	uint64_t va;
	size_t i;

	if (!kernel_has_symbol(kernel, "init_uts_ns", &va) ||
	    !profile_member(kernel->profile, "uts_namespace", "name", &name))
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_error_ struct kml_error *error = NULL;

		if (profile_member(kernel->profile, "new_utsname", names[i],
				   &member))
			error = kernel_read_string(kernel,
						   va + name.offset + member.offset,
						   to[i], sizeof(kernel->release));
	}
}

static struct kml_error *init_heap(struct kernel *kernel)
{
	struct kml_error *error;

	error = heap_init(kernel->heap, kernel->direct_va, kernel->end_pfn,
			  kernel->vmemmap_va, kernel->page_struct_bytes);
	if (!error)
		error = heap_init_radix(&kernel->heap->vmalloc,
					kernel->vmalloc_va,
					kernel->vmalloc_end_va);
	if (!error)
		error = heap_init_radix(&kernel->heap->modules,
					kernel->modules_va,
					kernel->modules_end_va);
	return error;
}

static struct kml_error *seal_heap(struct kernel *kernel)
{
	return heap_seal(kernel->heap);
}

static void count_pages(struct kernel *kernel)
{
	uint64_t pfn;

	for (pfn = 0; pfn < kernel->end_pfn; pfn++)
		kernel->page_count[kernel->page_class[pfn]]++;
}

struct kml_error *kernel_load(struct kernel *kernel, struct image *image,
			      struct profile *profile,
			      struct messenger *messenger, struct heap *heap,
			      unsigned n_threads, enum kml_stack stack_mode)
{
	static struct {
		const char *stage;
		struct kml_error *(*load)(struct kernel *kernel);
	} const stages[] = {
		{ "address space", load_address_space },
		{ "CPUs", load_cpus },
		{ "object index", init_heap },
		{ "struct pages", kernel_load_pages },
		{ "pool of KFENCE", kernel_load_kfence },
		{ "slab caches", kernel_load_slabs },
		{ "per-cpu chunks", kernel_load_percpu },
		{ "vmalloc areas", kernel_load_vmalloc },
		{ "page tables of tasks", kernel_load_task_tables },
		{ "shadow of KASAN", kernel_load_shadow },
		{ "page blocks", kernel_load_blocks },
		{ "pages of directories", kernel_load_dircache },
		{ "mapped pages", kernel_load_vmaps },
		{ "kmemleak", kernel_load_kmemleak },
		{ "stack depot", kernel_load_stackdepot },
		{ "page extensions", kernel_load_page_ext },
		{ "kernel sections", kernel_load_sections },
		{ "object states", seal_heap },
		{ "objects of KFENCE", kernel_mark_kfence },
		{ "quarantine of KASAN", kernel_load_quarantine },
		{ "batches of kvfree_rcu()", kernel_load_rcu },
		{ "sheaves of free objects", kernel_load_sheaves },
		{ "block requests", kernel_load_requests },
		{ "kernfs nodes", kernel_load_kernfs },
		{ "batches of pages", kernel_load_batches },
		{ "network buffers and namespaces", kernel_load_net },
		{ "per-cpu references", kernel_load_percpu_refs },
		{ "stale variables", kernel_load_stale },
		{ "modules", kernel_load_modules },
		{ "tasks", kernel_load_tasks },
		{ "page tables", kernel_load_page_tables },
		{ "reserved pages", kernel_load_reserved },
		{ "allocation records", kernel_load_tracks },
		{ "requested sizes", kernel_load_orig_sizes },
	};
	struct kml_error *error = NULL;
	size_t i;

	memset(kernel, 0, sizeof(*kernel));
	kernel->image = image;
	kernel->profile = profile;
	kernel->messenger = messenger;
	kernel->heap = heap;
	kernel->n_threads = n_threads;
	kernel->stack_mode = stack_mode;
	for (i = 0; !error && i < ARRAY_SIZE(stages); i++) {
		error = message_progress(messenger, stages[i].stage, i,
					 ARRAY_SIZE(stages));
		if (!error)
			error = stages[i].load(kernel);
		if (error)
			return kml_error_code(error) == KML_ERR_INTERRUPTED ?
				       error :
				       error_prefix(error, "cannot load the %s",
						    stages[i].stage);
	}
	load_uts_name(kernel);
	kernel_sort_mapped(kernel);
	kernel_sort_rules(kernel);
	count_pages(kernel);
	return NULL;
}

void kernel_deinit(struct kernel *kernel)
{
	free(kernel->cpu_offset);
	free(kernel->cpu_regs);
	free(kernel->page_class);
	free(kernel->stale_lru);
	free(kernel->symbol_memo);
	vec_deinit(&kernel->answers.all);
	vec_deinit(&kernel->gaps);
	vec_deinit(&kernel->caches);
	vec_deinit(&kernel->slabs);
	vec_deinit(&kernel->heads);
	vec_deinit(&kernel->kfence);
	vec_deinit(&kernel->mapped);
	vec_deinit(&kernel->areas);
	vec_deinit(&kernel->pcpu_chunks);
	vec_deinit(&kernel->tasks);
	kernel_symbols_deinit(kernel);
	vec_deinit(&kernel->modules);
	vec_deinit(&kernel->roots);
	vec_deinit(&kernel->holes);
	vec_deinit(&kernel->rules);
	vec_deinit(&kernel->walked_pgds);
	vec_deinit(&kernel->edges);
	vec_deinit(&kernel->starts);
}

uint32_t kernel_find_module(const struct kernel *kernel, const char *name)
{
	uint32_t i;

	for (i = 0; i < kernel->modules.size; i++) {
		if (!strcmp(kernel->modules.data[i].name, name))
			return i;
	}
	return UINT32_MAX;
}

bool kernel_root_link(const struct kernel *kernel,
		      const struct kernel_root *root, uint64_t va,
		      uint64_t *ret)
{
	uint64_t pointer;

	if (root->kind == ROOT_SECTION) {
		*ret = va - kernel->kaslr_offset;
		return true;
	}
	if (root->kind != ROOT_PERCPU || root->owner >= kernel->n_cpus)
		return false;
	pointer = va - kernel->cpu_offset[root->owner];
	/* Linked at 0 until Linux 6.15 (9d7de2aa8b41) */
	*ret = pointer >= kernel->image_va ? pointer - kernel->kaslr_offset :
					     pointer;
	return true;
}
