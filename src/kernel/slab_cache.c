// SPDX-License-Identifier: GPL-2.0-or-later
/* SLUB's caches, and what each CPU and node has of them. */
#include "kernel/slab_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MAX_CACHES 100000u
#define MAX_OBJECT_BYTES (UINT64_C(1) << 22)
#define MAX_PARTIAL (UINT64_C(1) << 24)
#define MAX_UNLISTED 1000u /* slabs that name another than the listed ones */

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
		{ slab, "slab_list", &l->slab_list },
		{ "kmem_cache_node", "partial", &l->partial },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = kernel_load_slab_nodes(kernel, &l->nodes);
	if (!error)
		error = kernel_type_size(kernel, slab, &l->slab_bytes);
	if (!error && l->slab_bytes > 4096)
		error = error_new(KML_ERR_DEBUGINFO, "struct slab is too large");
	l->has_frozen = profile_member(kernel->profile, slab, "frozen",
				       &l->frozen);
	return error;
}

/* How much of a struct kmem_cache is to be read.  It is allocated without the
 * nodes that there are not: sizeof says more than there is. */
static struct kml_error *measure_cache(struct slab_layout *l)
{
	const struct profile_member *members[] = {
		&l->list, &l->name, &l->size, &l->object_size, &l->offset,
		&l->red_left_pad, &l->random, &l->refcount, &l->oo,
		&l->cpu_slab, /* of size 0: there is none */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		l->cache_bytes = MAX(l->cache_bytes,
				     members[i]->offset + members[i]->size);
	if (l->cache_bytes > 65536)
		return error_new(KML_ERR_DEBUGINFO,
				 "struct kmem_cache is too large");
	return NULL;
}

/*
 * From Linux 5.9 (ca0cab65ea2b) to 5.13 (1f0723a4c0df) a cache may be made with
 * a red zone while the static key that all checks of it are behind is off: its
 * slots have room for the zone, and the object is in front of it.
 */
static struct kml_error *load_debug_key(struct kernel *kernel,
					struct slab_layout *l)
{
	struct kml_error *error;
	uint64_t va, enabled;

	if (!kernel_has_symbol(kernel, "slub_debug_enabled", &va))
		return NULL;
	error = kernel_read_uint(kernel, va, 4, &enabled);
	l->ignores_red_zones = !error && !enabled;
	return kernel_forgive(kernel, error, "slub_debug_enabled", va);
}

static struct kml_error *load_layout(struct kernel *kernel,
				     struct slab_layout *l)
{
	struct kml_error *error = load_members(kernel, l);
	struct profile_member unused;

	if (!error)
		error = load_debug_key(kernel, l);
	if (error)
		return error;
	l->has_random = profile_member(kernel->profile, "kmem_cache", "random",
				       &l->random);
	l->has_refcount = profile_member(kernel->profile, "kmem_cache",
					 "refcount", &l->refcount);
	l->has_oo = profile_member(kernel->profile, "kmem_cache", "oo.x",
				   &l->oo);
	l->has_cpu_slab =
		profile_member(kernel->profile, "kmem_cache", "cpu_slab",
			       &l->cpu_slab) &&
		profile_member(kernel->profile, "kmem_cache_cpu", "freelist",
			       &l->cpu_freelist) &&
		(profile_member(kernel->profile, "kmem_cache_cpu", "slab",
				&l->cpu_page) ||
		 profile_member(kernel->profile, "kmem_cache_cpu", "page",
				&l->cpu_page));
	l->has_cpu_partial =
		profile_member(kernel->profile, "kmem_cache_cpu", "partial",
			       &l->cpu_partial) &&
		(profile_member(kernel->profile, "slab", "next", &l->next) ||
		 profile_member(kernel->profile, "page", "next", &l->next));
	/* with CONFIG_SLUB_DEBUG */
	l->has_nr_slabs = profile_member(kernel->profile, "kmem_cache_node",
					 "nr_slabs", &l->nr_slabs);
	if (!l->has_cpu_slab &&
	    !profile_member(kernel->profile, "kmem_cache", "cpu_sheaves",
			    &unused))
		return error_new(KML_ERR_UNSUPPORTED,
				 "this kernel's slab allocator keeps its free objects in a way that is not handled (neither kmem_cache_cpu nor sheaves)");
	return measure_cache(l);
}

static struct kml_error *add_cpu_slab(struct slab_load *load, uint64_t va,
				      uint64_t freelist)
{
	const struct kernel *kernel = load->kernel;
	struct cpu_slab new = {
		.pfn = (va - kernel->vmemmap_va) / kernel->page_struct_bytes,
		.freelist = freelist,
	};

	return vec_push(&load->cpu_slabs, new) ? NULL : error_nomem();
}

/* Those that it keeps for later are frozen as well, until Linux 6.8
 * (8cd3fa428b56). */
static struct kml_error *load_cpu_partial(struct slab_load *load, uint64_t va)
{
	const struct slab_layout *l = &load->layout;
	struct kml_error *error = NULL;
	uint64_t slab = 0;

	if (!l->has_cpu_partial)
		return NULL;
	error = kernel_read_u64(load->kernel, va + l->cpu_partial.offset, &slab);
	while (!error && slab && load->partial_left) {
		load->partial_left--;
		error = add_cpu_slab(load, slab, 0);
		if (!error)
			error = kernel_read_u64(load->kernel,
						slab + l->next.offset, &slab);
	}
	if (!error && slab)
		kernel_gap(load->kernel, "torn list of a CPU's partial slabs", va,
			   true);
	return kernel_forgive(load->kernel, error, "per-CPU partial slabs", va);
}

/* Record which slabs the CPUs have. */
static struct kml_error *load_cpu_slabs(struct slab_load *load,
					uint64_t percpu)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		uint64_t va = percpu + kernel->cpu_offset[cpu], slab, freelist;
		struct kml_error *error;

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_u64(kernel, va + l->cpu_page.offset, &slab);
		if (!error)
			error = kernel_read_u64(kernel,
						va + l->cpu_freelist.offset,
						&freelist);
		if (error) {
			error = kernel_forgive(kernel, error,
					       "per-CPU slabs", va);
			if (error)
				return error;
			continue;
		}
		/* What this refers to is free: no reference at all. */
		kernel_cite(kernel, BUILTIN_FREELIST_HEAD);
		error = kernel_add_hole(kernel, va + l->cpu_freelist.offset, 8);
		if (error)
			return error;
		if (slab)
			error = add_cpu_slab(load, slab, freelist);
		if (!error)
			error = load_cpu_partial(load, va);
		if (error)
			return error;
	}
	return NULL;
}

/* ---- nodes: what is on their lists, as /proc/slabinfo counts it */

struct partial_walk {
	const struct slab_layout *layout;
	uint64_t n_free;
};

static struct kml_error *count_partial(struct kernel *kernel, void *arg,
				       uint64_t node_va)
{
	struct partial_walk *walk = arg;
	const struct slab_layout *l = walk->layout;
	uint64_t va = node_va - l->slab_list.offset, inuse, objects;
	char buf[4096];
	struct kml_error *error;

	error = image_read_va(kernel->image, va, buf, l->slab_bytes);
	if (error)
		return kernel_forgive(kernel, error, "slabs", va);
	inuse = kernel_get(buf, &l->inuse);
	objects = kernel_get(buf, &l->objects);
	if (inuse <= objects)
		walk->n_free += objects - inuse;
	return NULL;
}

static struct kml_error *load_nodes(struct slab_load *load,
				    struct kernel_cache *cache)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	struct partial_walk walk = { .layout = l };
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < l->nodes.n; i++) {
		uint64_t node = 0, n_slabs = 0;

		error = kernel_read_u64(kernel, cache->va + l->nodes.node.offset +
							i * l->nodes.bytes,
					&node);
		if (!error && node)
			error = kernel_walk_list(kernel, node + l->partial.offset,
						 MAX_PARTIAL,
						 "torn list of partial slabs",
						 count_partial, &walk);
		if (!error && node && l->has_nr_slabs)
			error = kernel_read_u64(
				kernel, node + l->nr_slabs.offset, &n_slabs);
		cache->n_node_slabs += n_slabs;
		error = kernel_forgive(kernel, error, "nodes of slab caches",
				       cache->va);
	}
	cache->n_node_free = walk.n_free;
	return error;
}

/* ---- caches */

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
	if (!l->ignores_red_zones)
		cache.pad_bytes = (uint32_t)kernel_get(buf, &l->red_left_pad);
	if (l->has_random)
		cache.random = kernel_get(buf, &l->random);
	if (l->has_refcount)
		cache.n_users = (uint32_t)kernel_get(buf, &l->refcount);
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
	error = load_nodes(load, &cache);
	if (error)
		return error;
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

static int compare_cpu_slabs(const void *a, const void *b)
{
	const struct cpu_slab *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

static void sort_cpu_slabs(struct slab_load *load)
{
	if (load->cpu_slabs.size)
		qsort(load->cpu_slabs.data, load->cpu_slabs.size,
		      sizeof(*load->cpu_slabs.data), compare_cpu_slabs);
}

struct kml_error *slab_load_unlisted(struct slab_load *load, uint64_t va)
{
	size_t n_caches = load->kernel->caches.size;
	struct kml_error *error;

	if (load->n_unlisted == MAX_UNLISTED) {
		kernel_gap(load->kernel, "slab caches beyond the first 1000 that are on no list",
			   va, true);
		return NULL;
	}
	error = load_cache(load, va, false);
	if (load->kernel->caches.size > n_caches) {
		load->n_unlisted++;
		sort_cpu_slabs(load);
	}
	return error;
}

struct kml_error *slab_load_caches(struct slab_load *load)
{
	struct kml_error *error = load_layout(load->kernel, &load->layout);
	uint64_t head;

	load->partial_left = load->kernel->end_pfn;
	if (!error)
		error = kernel_symbol(load->kernel, "slab_caches", &head);
	if (!error)
		error = kernel_walk_list(load->kernel, head, MAX_CACHES,
					 "torn list of slab caches",
					 load_listed_cache, load);
	if (!error && !load->kernel->caches.size)
		error = error_at(KML_ERR_CORRUPT, head,
				 "the list of slab caches is empty");
	sort_cpu_slabs(load);
	return error;
}

const struct cpu_slab *slab_find_cpu(const struct slab_load *load,
				     uint64_t pfn)
{
	const struct cpu_slab key = { .pfn = pfn };

	if (!load->cpu_slabs.size)
		return NULL;
	return bsearch(&key, load->cpu_slabs.data, load->cpu_slabs.size,
		       sizeof(key), compare_cpu_slabs);
}

/* The flags of a cache often equal the physical address of some block. */
struct kml_error *slab_add_cache_rules(struct kernel *kernel)
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
