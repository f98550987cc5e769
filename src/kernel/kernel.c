// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "kernel/track.h"

void kernel_gaps(struct kernel *kernel, const char *what, uint64_t address,
		 bool unsound, uint64_t n)
{
	struct kernel_gap *gap;
	size_t i;

	if (!n)
		return;
	for (i = 0; i < kernel->gaps.size; i++) {
		if (!strcmp(kernel->gaps.data[i].what, what)) {
			kernel->gaps.data[i].count += n;
			return;
		}
	}
	gap = vec_add(&kernel->gaps);
	/* Without memory for a counter there will soon be a real error. */
	if (gap)
		*gap = (struct kernel_gap){ what, n, address, unsound };
}

void kernel_gap(struct kernel *kernel, const char *what, uint64_t address,
		bool unsound)
{
	kernel_gaps(kernel, what, address, unsound, 1);
}

uint64_t kernel_count_gaps(const struct kernel *kernel)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < kernel->gaps.size; i++)
		n += kernel->gaps.data[i].count;
	return n;
}

struct kml_error *kernel_forgive(struct kernel *kernel, struct kml_error *error,
				 const char *what, uint64_t address)
{
	switch (kml_error_code(error)) {
	case KML_OK:
		return NULL;
	case KML_ERR_NODATA:
	case KML_ERR_CORRUPT:
	case KML_ERR_DEBUGINFO:
		kml_error_destroy(error);
		kernel_gap(kernel, what, address, true);
		return NULL;
	default:
		return error;
	}
}

bool kernel_has_symbol(const struct kernel *kernel, const char *name,
		       uint64_t *ret)
{
	uint64_t address;

	if (!profile_symbol(kernel->profile, name, &address, NULL))
		return false;
	/* Per-cpu symbols are offsets where the section is linked at 0. */
	*ret = address < kernel->image_va ? address :
					    address + kernel->kaslr_offset;
	return true;
}

struct kml_error *kernel_symbol(const struct kernel *kernel, const char *name,
				uint64_t *ret)
{
	if (!kernel_has_symbol(kernel, name, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no symbol '%s'", name);
	return NULL;
}

struct kml_error *kernel_member(const struct kernel *kernel, const char *type,
				const char *path, struct profile_member *ret)
{
	if (!profile_member(kernel->profile, type, path, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no member '%s' of 'struct %s'",
				 path, type);
	return NULL;
}

struct kml_error *kernel_members(const struct kernel *kernel,
				 const struct kernel_need *needs)
{
	struct kml_error *error = NULL;

	for (; !error && needs->type; needs++)
		error = kernel_member(kernel, needs->type, needs->path,
				      needs->ret);
	return error;
}

struct kml_error *kernel_type_size(const struct kernel *kernel,
				   const char *type, uint64_t *ret)
{
	if (!profile_type_size(kernel->profile, type, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no 'struct %s'", type);
	return NULL;
}

struct kml_error *kernel_read_uint(struct kernel *kernel, uint64_t va,
				   unsigned bytes, uint64_t *ret)
{
	uint64_t value = 0;
	struct kml_error *error;

	error = image_read_va(kernel->image, va, &value, MIN(bytes, 8u));
	if (!error)
		*ret = value;
	return error;
}

struct kml_error *kernel_read_u64(struct kernel *kernel, uint64_t va,
				  uint64_t *ret)
{
	return kernel_read_uint(kernel, va, 8, ret);
}

uint64_t kernel_get(const void *buf, const struct profile_member *member)
{
	uint64_t bytes = member->count ? member->size / member->count :
					 member->size;
	uint64_t value = 0;

	memcpy(&value, (const char *)buf + member->offset, MIN(bytes, 8u));
	if (member->bit_size) {
		value >>= member->bit_offset;
		if (member->bit_size < 64)
			value &= (UINT64_C(1) << member->bit_size) - 1;
	}
	return value;
}

struct kml_error *kernel_read_string(struct kernel *kernel, uint64_t va,
				     char *ret, size_t bytes)
{
	struct kml_error *error;
	size_t n;

	for (n = 0; n < bytes - 1; n++) {
		error = image_read_va(kernel->image, va + n, &ret[n], 1);
		if (error) {
			ret[0] = '\0';
			return error;
		}
		if (!ret[n])
			return NULL;
		if (!isprint((unsigned char)ret[n]))
			ret[n] = '?';
	}
	ret[n] = '\0';
	return NULL;
}

struct kml_error *kernel_walk_list(struct kernel *kernel, uint64_t head_va,
				   uint64_t max, const char *what,
				   kernel_entry_fn *entry, void *arg)
{
	uint64_t previous = head_va, links[2];
	struct kml_error *error;

	error = image_read_va(kernel->image, head_va, links, sizeof(links));
	while (!error && links[0] != head_va) {
		uint64_t node = links[0];

		if (!max--) {
			kernel_gap(kernel, what, node, true);
			return NULL;
		}
		error = image_read_va(kernel->image, node, links, sizeof(links));
		if (error)
			break;
		if (links[1] != previous) {
			/* Torn: what follows may be another list. */
			kernel_gap(kernel, what, node, true);
			return NULL;
		}
		error = entry(kernel, arg, node);
		if (error)
			return error;
		previous = node;
	}
	return kernel_forgive(kernel, error, what, previous);
}

struct kml_error *kernel_add_rule(struct kernel *kernel, uint64_t va,
				  struct kernel_rule rule)
{
	enum heap_reference how;

	rule.id = heap_resolve(kernel->heap, va, &how);
	/* Not a part of a larger block: offsets would be wrong. */
	if (rule.id == HEAP_NONE ||
	    (how == HEAP_REF_ADDRESS &&
	     rule.id == heap_resolve(kernel->heap, va - 1, &how)))
		return NULL;
	return vec_push(&kernel->rules, rule) ? NULL : error_nomem();
}

struct kml_error *kernel_add_hole(struct kernel *kernel, uint64_t va,
				  uint64_t bytes)
{
	const struct kernel_hole hole = { va, va + bytes };
	struct kernel_rule rule = { .kind = SCAN_HOLES };
	size_t n = kernel->rules.size;
	enum heap_reference how;

	if (va + bytes <= va)
		return NULL;
	if (!vec_push(&kernel->holes, hole))
		return error_nomem();
	rule.id = heap_resolve(kernel->heap, va, &how);
	/* Many holes of one object come in a row. */
	if (rule.id == HEAP_NONE ||
	    (n && kernel->rules.data[n - 1].id == rule.id &&
	     kernel->rules.data[n - 1].kind == SCAN_HOLES))
		return NULL;
	return vec_push(&kernel->rules, rule) ? NULL : error_nomem();
}

struct kml_error *kernel_add_hole_within(struct kernel *kernel, uint64_t va,
					 uint64_t bytes)
{
	enum heap_reference how, end_how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);

	if (!bytes || id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_resolve(kernel->heap, va + bytes - 1, &end_how) != id)
		return NULL;
	return kernel_add_hole(kernel, va, bytes);
}

struct kml_error *kernel_add_dead_object(struct kernel *kernel, uint64_t va)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != va)
		return NULL;
	return kernel_add_hole(kernel, va, heap_object_bytes(kernel->heap, id));
}

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

static int compare_mapped(const void *a, const void *b)
{
	const struct kernel_mapped *x = a, *y = b;

	if (x->pfn != y->pfn)
		return x->pfn < y->pfn ? -1 : 1;
	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int compare_rules(const void *a, const void *b)
{
	const struct kernel_rule *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_holes(const void *a, const void *b)
{
	const struct kernel_hole *x = a, *y = b;

	return (x->start_va > y->start_va) - (x->start_va < y->start_va);
}

/* Two rules for one object: one of them is wrong, and all is scanned.  (Holes
 * of one object share a rule.) */
static void drop_double_rules(struct kernel *kernel)
{
	struct kernel_rule *rules = kernel->rules.data;
	size_t i, j, n = 0;

	for (i = 0; i < kernel->rules.size; i = j) {
		bool same = true;

		for (j = i + 1; j < kernel->rules.size; j++) {
			if (rules[j].id != rules[i].id)
				break;
			same = same && rules[i].kind == SCAN_HOLES &&
			       rules[j].kind == SCAN_HOLES;
		}
		if (same)
			rules[n++] = rules[i];
	}
	kernel->rules.size = n;
}

static void merge_holes(struct kernel *kernel)
{
	struct kernel_hole *holes = kernel->holes.data;
	size_t i, n = 0;

	for (i = 0; i < kernel->holes.size; i++) {
		if (n && holes[i].start_va <= holes[n - 1].end_va)
			holes[n - 1].end_va = MAX(holes[n - 1].end_va,
						  holes[i].end_va);
		else
			holes[n++] = holes[i];
	}
	kernel->holes.size = n;
}

static void sort_all(struct kernel *kernel)
{
	if (kernel->mapped.size)
		qsort(kernel->mapped.data, kernel->mapped.size,
		      sizeof(*kernel->mapped.data), compare_mapped);
	if (kernel->rules.size)
		qsort(kernel->rules.data, kernel->rules.size,
		      sizeof(*kernel->rules.data), compare_rules);
	drop_double_rules(kernel);
	if (kernel->holes.size)
		qsort(kernel->holes.data, kernel->holes.size,
		      sizeof(*kernel->holes.data), compare_holes);
	merge_holes(kernel);
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
	sort_all(kernel);
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
