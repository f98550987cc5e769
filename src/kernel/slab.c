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
#define MAX_PARTIAL (UINT64_C(1) << 24)

struct slab_layout {
	struct profile_member list, name, size, object_size, offset, random,
		red_left_pad, cpu_slab;
	struct profile_member cpu_freelist, cpu_page;
	struct profile_member slab_cache, freelist, inuse, objects, slab_list;
	struct profile_member oo; /* order and objects of a new slab */
	struct profile_member refcount, frozen;
	struct kernel_nodes nodes;
	struct profile_member partial; /* in a struct kmem_cache_node */
	uint64_t cache_bytes, slab_bytes;
	bool has_random, has_cpu_slab, has_oo, has_refcount, has_frozen;
	bool ignores_red_zones;
};

/* The slab that a CPU allocates from, and its private freelist; 0: empty. */
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
	if (!l->has_cpu_slab &&
	    !profile_member(kernel->profile, "kmem_cache", "cpu_sheaves",
			    &unused))
		return error_new(KML_ERR_UNSUPPORTED,
				 "this kernel's slab allocator keeps its free objects in a way that is not handled (neither kmem_cache_cpu nor sheaves)");
	return measure_cache(l);
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
		/* What this refers to is free: no reference at all. */
		kernel_cite(kernel, BUILTIN_FREELIST_HEAD);
		error = kernel_add_hole(kernel, va + l->cpu_freelist.offset, 8);
		if (error)
			return error;
		cpu_slab.pfn = (slab - kernel->vmemmap_va) /
			       kernel->page_struct_bytes;
		if (slab && !vec_push(&load->cpu_slabs, cpu_slab))
			return error_nomem();
	}
	return NULL;
}

/* ---- what is on the nodes' lists, as /proc/slabinfo counts it */

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

static struct kml_error *load_node_free(struct slab_load *load,
					struct kernel_cache *cache)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	struct partial_walk walk = { .layout = l };
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < l->nodes.n; i++) {
		uint64_t node;

		error = kernel_read_u64(kernel, cache->va + l->nodes.node.offset +
							i * l->nodes.bytes,
					&node);
		if (!error && node)
			error = kernel_walk_list(kernel, node + l->partial.offset,
						 MAX_PARTIAL,
						 "torn list of partial slabs",
						 count_partial, &walk);
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
	error = load_node_free(load, &cache);
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

/* The CPU's part of it, if it is one that a CPU allocates from. */
static const struct cpu_slab *find_cpu_slab(const struct slab_load *load,
					    uint64_t pfn)
{
	const struct cpu_slab key = { .pfn = pfn };

	if (!load->cpu_slabs.size)
		return NULL;
	return bsearch(&key, load->cpu_slabs.data, load->cpu_slabs.size,
		       sizeof(key), compare_cpu_slabs);
}

/*
 * ___slab_alloc() takes the whole freelist of a slab, and freezes it, before
 * it makes the slab its CPU's: if it was interrupted in between, none of the
 * objects is on any list, and any of them may be free.
 */
static bool is_moving(const struct slab_load *load,
		      const struct kernel_slab *slab, const char *page)
{
	const struct slab_layout *l = &load->layout;

	return l->has_cpu_slab && l->has_frozen &&
	       kernel_get(page, &l->frozen) && !slab->freelist &&
	       slab->inuse == slab->objects;
}

/* A slab of which it is not known what its objects are: its pages may hold
 * anything, and are nobody's leak. */
static void give_up_slab(struct kernel *kernel, struct kernel_page_head *head)
{
	head->is_slab = false;
	head->is_unknown = true;
	kernel->page_class[head->pfn] = PAGE_BLOCK;
}

static struct kml_error *add_region(struct slab_load *load,
				    struct kernel_page_head *head,
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
		give_up_slab(kernel, head);
		return NULL;
	}
	error = heap_add(kernel->heap, &region, &slab->region);
	if (error)
		return kernel_forgive(kernel, error,
				      "slabs that overlap something else",
				      region.va);
	if (!vec_push(&kernel->slabs, *slab))
		return error_nomem();
	cache->n_slabs++;
	cache->n_objects += slab->objects;
	cache->n_pages += head->n_pages;
	return NULL;
}

static struct kml_error *load_slab(struct slab_load *load,
				   struct kernel_page_head *head,
				   uint32_t *cache_index)
{
	struct kernel *kernel = load->kernel;
	const struct slab_layout *l = &load->layout;
	uint64_t va = kernel->vmemmap_va + head->pfn * kernel->page_struct_bytes;
	char buf[4096];
	struct kernel_slab slab = { 0 };
	const struct cpu_slab *cpu_slab;
	struct kml_error *error;
	uint64_t cache_va;

	error = image_read_va(kernel->image, va, buf, l->slab_bytes);
	if (error)
		return kernel_forgive(kernel, error, "slabs", va);
	cache_va = kernel_get(buf, &l->slab_cache);
	/*
	 * allocate_slab() marks the page before it stores the cache, and may
	 * sleep in between (account_slab(), for SLAB_ACCOUNT); __free_slab()
	 * takes the cache away first. There are no objects. (What shares the
	 * place, page.mapping or since 6.2 lru.next, is 0 or a mark then.)
	 */
	if (cache_va < 4096)
		return NULL;
	*cache_index = find_cache(kernel, cache_va, *cache_index);
	if (*cache_index == HEAP_NONE) {
		/* A cache that is being destroyed is off the list. */
		error = load_cache(load, cache_va, false);
		if (error)
			return error;
		*cache_index = find_cache(kernel, cache_va, 0);
		if (*cache_index == HEAP_NONE) {
			/* load_cache() has counted it */
			give_up_slab(kernel, head);
			return NULL;
		}
	}
	slab.freelist = kernel_get(buf, &l->freelist);
	slab.inuse = (uint16_t)kernel_get(buf, &l->inuse);
	slab.objects = (uint16_t)kernel_get(buf, &l->objects);
	cpu_slab = find_cpu_slab(load, head->pfn);
	if (cpu_slab)
		slab.cpu_freelist = cpu_slab->freelist;
	else
		slab.moving = is_moving(load, &slab, buf);
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

static bool is_kfence(const struct kernel *kernel, uint64_t pfn)
{
	return kernel->kfence_pages &&
	       pfn - (kernel->kfence_va - kernel->direct_va) / 4096 <
		       kernel->kfence_pages;
}

/* Each is a slab of one object, wherever that lies in its page. */
static struct kml_error *load_kfence(struct kernel *kernel)
{
	struct kml_error *error = NULL;
	uint32_t cache = 0;
	size_t i;

	for (i = 0; !error && i < kernel->kfence.size; i++) {
		const struct kernel_kfence *object = &kernel->kfence.data[i];
		struct kernel_slab slab = { .objects = 1, .known = true };
		struct heap_region region = {
			.va = object->page_va,
			.bytes = 4096,
			.object_bytes = object->bytes,
			.slot_bytes = 4096,
			.pad_bytes = (uint32_t)(object->va - object->page_va),
			.n_objects = 1,
			.kind = HEAP_SLAB,
		};

		cache = find_cache(kernel, object->cache_va, cache);
		if (cache == HEAP_NONE) {
			kernel_gap(kernel, "objects of KFENCE of no cache",
				   object->va, true);
			cache = 0;
			continue;
		}
		region.owner = cache;
		error = heap_add(kernel->heap, &region, &slab.region);
		if (error)
			error = kernel_forgive(kernel, error,
					       "objects of KFENCE", object->va);
		else if (!vec_push(&kernel->slabs, slab))
			error = error_nomem();
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
		if (kernel->heads.data[i].is_slab &&
		    !is_kfence(kernel, kernel->heads.data[i].pfn))
			error = load_slab(&load, &kernel->heads.data[i],
					  &cache_index);
	}
	vec_deinit(&load.cpu_slabs);
	if (!error)
		error = load_kfence(kernel);
	return error ? error : add_rules(kernel);
}
