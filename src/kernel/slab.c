// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SLUB: the caches, and the slabs that the pass over the struct pages found.
 * Which objects of a slab are free is decided later, when its pages are read
 * for the scan anyway (slab_state.c).
 */
#include "kernel/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MAX_CACHES 100000u
#define MAX_OBJECT_BYTES (UINT64_C(1) << 22)

struct slab_layout {
	struct profile_member list, name, size, object_size, offset, random,
		red_left_pad, cpu_slab;
	struct profile_member cpu_freelist, cpu_page;
	struct profile_member slab_cache, freelist, inuse, objects, frozen;
	struct profile_member oo; /* order and objects of a new slab */
	uint64_t cache_bytes, slab_bytes;
	bool has_random, has_cpu_slab, has_frozen, has_oo;
};

/* The slab that a CPU allocates from, and its private freelist. */
struct cpu_slab {
	uint64_t pfn, freelist;
};

struct slab_load {
	struct kernel *kernel;
	struct slab_layout layout;
	VEC(struct cpu_slab) cpu_slabs;
};

static struct kml_error *load_members(struct kernel *kernel,
				      struct slab_layout *l)
{
	/* struct slab was split from struct page in Linux 5.17 (d122019bf061) */
	bool split = profile_member(kernel->profile, "slab", "slab_cache",
				    &l->slab_cache);
	const char *slab = split ? "slab" : "page";
	const struct kernel_need needs[] = {
		{ "kmem_cache", "list", &l->list },
		{ "kmem_cache", "name", &l->name },
		{ "kmem_cache", "size", &l->size },
		{ "kmem_cache", "object_size", &l->object_size },
		{ "kmem_cache", "offset", &l->offset },
		{ "kmem_cache", "red_left_pad", &l->red_left_pad },
		{ slab, "slab_cache", &l->slab_cache },
		{ slab, "freelist", &l->freelist },
		{ slab, "inuse", &l->inuse },
		{ slab, "objects", &l->objects },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = kernel_type_size(kernel, slab, &l->slab_bytes);
	if (!error)
		error = kernel_type_size(kernel, "kmem_cache", &l->cache_bytes);
	if (!error && (l->cache_bytes > 65536 || l->slab_bytes > 4096))
		error = error_new(KML_ERR_DEBUGINFO,
				  "struct kmem_cache or slab is too large");
	return error;
}

static struct kml_error *load_layout(struct kernel *kernel,
				     struct slab_layout *l)
{
	struct kml_error *error = load_members(kernel, l);
	struct profile_member unused;

	if (error)
		return error;
	l->has_random = profile_member(kernel->profile, "kmem_cache", "random",
				       &l->random);
	l->has_oo = profile_member(kernel->profile, "kmem_cache", "oo.x",
				   &l->oo);
	l->has_frozen = profile_member(kernel->profile, "slab", "frozen",
				       &l->frozen) ||
			profile_member(kernel->profile, "page", "frozen",
				       &l->frozen);
	l->has_cpu_slab =
		profile_member(kernel->profile, "kmem_cache", "cpu_slab",
			       &l->cpu_slab) &&
		profile_member(kernel->profile, "kmem_cache_cpu", "freelist",
			       &l->cpu_freelist) &&
		(profile_member(kernel->profile, "kmem_cache_cpu", "slab",
				&l->cpu_page) ||
		 profile_member(kernel->profile, "kmem_cache_cpu", "page",
				&l->cpu_page));
	if (!l->has_cpu_slab &&
	    !profile_member(kernel->profile, "kmem_cache", "cpu_sheaves",
			    &unused))
		return error_new(KML_ERR_UNSUPPORTED,
				 "this kernel's slab allocator keeps its free objects in a way that is not handled (neither kmem_cache_cpu nor sheaves)");
	return NULL;
}

/* Record which slabs the CPUs allocate from. */
static struct kml_error *load_cpu_slabs(struct slab_load *load,
					uint64_t percpu)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		uint64_t va = percpu + kernel->cpu_offset[cpu], slab;
		struct cpu_slab cpu_slab;
		struct kml_error *error;

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_u64(kernel, va + l->cpu_page.offset, &slab);
		if (!error)
			error = kernel_read_u64(kernel,
						va + l->cpu_freelist.offset,
						&cpu_slab.freelist);
		if (error) {
			error = kernel_forgive(kernel, error,
					       "per-CPU slabs", va);
			if (error)
				return error;
			continue;
		}
		cpu_slab.pfn = (slab - kernel->vmemmap_va) /
			       kernel->page_struct_bytes;
		if (slab && cpu_slab.freelist &&
		    !vec_push(&load->cpu_slabs, cpu_slab))
			return error_nomem();
	}
	return NULL;
}

static struct kml_error *load_cache(struct slab_load *load, uint64_t va,
				    bool listed)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	_cleanup_free_ char *buf = malloc(l->cache_bytes);
	struct kernel_cache cache = { .va = va, .listed = listed };
	struct kml_error *error;

	if (!buf)
		return error_nomem();
	error = image_read_va(kernel->image, va, buf, l->cache_bytes);
	if (error)
		return kernel_forgive(kernel, error, "slab caches", va);
	cache.slot_bytes = (uint32_t)kernel_get(buf, &l->size);
	cache.object_bytes = (uint32_t)kernel_get(buf, &l->object_size);
	cache.free_offset = (uint32_t)kernel_get(buf, &l->offset);
	cache.pad_bytes = (uint32_t)kernel_get(buf, &l->red_left_pad);
	if (l->has_random)
		cache.random = kernel_get(buf, &l->random);
	if (l->has_oo) {
		cache.slab_objects = kernel_get(buf, &l->oo) & 0xffff;
		cache.slab_pages = 1u << (kernel_get(buf, &l->oo) >> 16 & 15);
	}
	if (cache.slot_bytes < 8 || cache.slot_bytes > MAX_OBJECT_BYTES ||
	    cache.object_bytes > cache.slot_bytes ||
	    cache.pad_bytes > cache.slot_bytes - cache.object_bytes ||
	    cache.free_offset > cache.slot_bytes - cache.pad_bytes - 8) {
		kernel_gap(kernel, "slab caches that make no sense", va, true);
		return NULL;
	}
	error = kernel_read_string(kernel, kernel_get(buf, &l->name),
				   cache.name, sizeof(cache.name));
	if (error) {
		error = kernel_forgive(kernel, error, "slab cache names", va);
		if (error)
			return error;
		strcpy(cache.name, "?");
	}
	if (kernel->caches.size == MAX_CACHES) {
		kernel_gap(kernel, "slab caches beyond the first 100000", va, true);
		return NULL;
	}
	if (!vec_push(&kernel->caches, cache))
		return error_nomem();
	if (!l->has_cpu_slab)
		return NULL;
	return load_cpu_slabs(load, kernel_get(buf, &l->cpu_slab));
}

static struct kml_error *load_listed_cache(struct kernel *kernel, void *arg,
					   uint64_t node_va)
{
	struct slab_load *load = arg;

	(void)kernel;
	return load_cache(load, node_va - load->layout.list.offset, true);
}

static struct kml_error *load_caches(struct slab_load *load)
{
	struct kml_error *error;
	uint64_t head;

	error = kernel_symbol(load->kernel, "slab_caches", &head);
	if (!error)
		error = kernel_walk_list(load->kernel, head, MAX_CACHES,
					 "torn list of slab caches",
					 load_listed_cache, load);
	if (!error && !load->kernel->caches.size)
		error = error_at(KML_ERR_CORRUPT, head,
				 "the list of slab caches is empty");
	return error;
}

/* The index of a cache by its address, or HEAP_NONE.  Linear, but slabs of one
 * cache come in runs: @hint is tried first. */
static uint32_t find_cache(const struct kernel *kernel, uint64_t va,
			   uint32_t hint)
{
	uint32_t i;

	if (hint < kernel->caches.size && kernel->caches.data[hint].va == va)
		return hint;
	for (i = 0; i < kernel->caches.size; i++) {
		if (kernel->caches.data[i].va == va)
			return i;
	}
	return HEAP_NONE;
}

static int compare_cpu_slabs(const void *a, const void *b)
{
	const struct cpu_slab *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

static uint64_t find_cpu_freelist(const struct slab_load *load, uint64_t pfn)
{
	const struct cpu_slab key = { .pfn = pfn }, *found;

	if (!load->cpu_slabs.size)
		return 0;
	found = bsearch(&key, load->cpu_slabs.data, load->cpu_slabs.size,
			sizeof(key), compare_cpu_slabs);
	return found ? found->freelist : 0;
}

static struct kml_error *add_region(struct slab_load *load,
				    const struct kernel_page_head *head,
				    uint32_t cache_index,
				    struct kernel_slab *slab)
{
	struct kernel *kernel = load->kernel;
	struct kernel_cache *cache = &kernel->caches.data[cache_index];
	struct heap_region region = {
		.va = kernel->direct_va + head->pfn * 4096,
		.bytes = (uint64_t)head->n_pages * 4096,
		.object_bytes = cache->object_bytes,
		.slot_bytes = cache->slot_bytes,
		.pad_bytes = cache->pad_bytes,
		.n_objects = slab->objects,
		.owner = cache_index,
		.kind = HEAP_SLAB,
	};
	struct kml_error *error;

	if (!slab->objects || slab->inuse > slab->objects ||
	    (uint64_t)slab->objects * cache->slot_bytes > region.bytes) {
		kernel_gap(kernel, "slabs whose counts make no sense",
			   region.va, true);
		return NULL;
	}
	error = heap_add(kernel->heap, &region, &slab->region);
	if (error)
		return kernel_forgive(kernel, error,
				      "slabs that overlap something else",
				      region.va);
	slab->cpu_freelist = find_cpu_freelist(load, head->pfn);
	if (!vec_push(&kernel->slabs, *slab))
		return error_nomem();
	cache->n_slabs++;
	cache->n_objects += slab->objects;
	if (!slab->frozen)
		cache->n_node_free += (uint64_t)(slab->objects - slab->inuse);
	cache->n_pages += head->n_pages;
	return NULL;
}

static struct kml_error *load_slab(struct slab_load *load,
				   const struct kernel_page_head *head,
				   uint32_t *cache_index)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	uint64_t va = kernel->vmemmap_va + head->pfn * kernel->page_struct_bytes;
	char buf[4096];
	struct kernel_slab slab = { 0 };
	struct kml_error *error;
	uint64_t cache_va;

	error = image_read_va(kernel->image, va, buf, l->slab_bytes);
	if (error)
		return kernel_forgive(kernel, error, "slabs", va);
	cache_va = kernel_get(buf, &l->slab_cache);
	*cache_index = find_cache(kernel, cache_va, *cache_index);
	if (*cache_index == HEAP_NONE) {
		/* A cache that is being destroyed is off the list. */
		error = load_cache(load, cache_va, false);
		if (error)
			return error;
		*cache_index = find_cache(kernel, cache_va, 0);
		if (*cache_index == HEAP_NONE)
			return NULL; /* load_cache() has counted it */
	}
	slab.freelist = kernel_get(buf, &l->freelist);
	slab.inuse = (uint16_t)kernel_get(buf, &l->inuse);
	slab.objects = (uint16_t)kernel_get(buf, &l->objects);
	slab.frozen = l->has_frozen && kernel_get(buf, &l->frozen);
	return add_region(load, head, *cache_index, &slab);
}

/* The flags of a cache often equal the physical address of some block. */
static struct kml_error *add_rules(struct kernel *kernel)
{
	struct profile_member flags;
	struct kernel_rule rule = { .kind = SCAN_SKIP_RANGE };
	struct kml_error *error = NULL;
	size_t i;

	if (!profile_member(kernel->profile, "kmem_cache", "flags", &flags))
		return NULL;
	rule.skip_start = (uint32_t)flags.offset;
	rule.skip_end = (uint32_t)(flags.offset + 8);
	for (i = 0; !error && i < kernel->caches.size; i++) {
		kernel_cite(kernel, BUILTIN_CACHE_FLAGS);
		error = kernel_add_rule(kernel, kernel->caches.data[i].va, rule);
	}
	return error;
}

struct kml_error *kernel_load_slabs(struct kernel *kernel)
{
	struct slab_load load = { .kernel = kernel };
	struct kml_error *error;
	uint32_t cache_index = 0;
	size_t i;

	error = load_layout(kernel, &load.layout);
	if (!error)
		error = load_caches(&load);
	if (!error && load.cpu_slabs.size)
		qsort(load.cpu_slabs.data, load.cpu_slabs.size,
		      sizeof(*load.cpu_slabs.data), compare_cpu_slabs);
	for (i = 0; !error && i < kernel->heads.size; i++) {
		if (kernel->heads.data[i].is_slab)
			error = load_slab(&load, &kernel->heads.data[i],
					  &cache_index);
	}
	vec_deinit(&load.cpu_slabs);
	return error ? error : add_rules(kernel);
}
