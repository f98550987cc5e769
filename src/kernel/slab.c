// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SLUB: the slabs that the pass over the struct pages found.  Which of their
 * objects are free is decided later, when their pages are read for the scan
 * anyway (slab_state.c).
 */
#include "kernel/slab_object.h"

#include "base/util.h"

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

/*
 * ___slab_alloc() takes the whole freelist of a slab, and freezes it, before
 * it makes the slab its CPU's, and deactivate_slab() the other way round: if
 * one was interrupted in between, the objects are on no list, and any of them
 * may be free.
 */
static bool is_moving(const struct slab_load *load, const char *page)
{
	const struct slab_layout *l = &load->layout;

	return l->has_cpu_slab && l->has_frozen && kernel_get(page, &l->frozen);
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
		error = slab_load_unlisted(load, cache_va);
		if (error)
			return error;
		*cache_index = find_cache(kernel, cache_va, 0);
		if (*cache_index == HEAP_NONE) {
			/* slab_load_unlisted() has counted it */
			give_up_slab(kernel, head);
			return NULL;
		}
	}
	slab.freelist = kernel_get(buf, &l->freelist);
	slab.inuse = (uint16_t)kernel_get(buf, &l->inuse);
	slab.objects = (uint16_t)kernel_get(buf, &l->objects);
	cpu_slab = slab_find_cpu(load, head->pfn);
	if (cpu_slab)
		slab.cpu_freelist = cpu_slab->freelist;
	else
		slab.moving = is_moving(load, buf);
	return add_region(load, head, *cache_index, &slab);
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

/* What a lost slab's objects hold would look leaked.  (allocate_slab() counts a
 * slab after it is there, discard_slab() before it goes: more is no fault.) */
static void check_counts(struct kernel *kernel)
{
	size_t i;

	for (i = 0; i < kernel->caches.size; i++) {
		const struct kernel_cache *cache = &kernel->caches.data[i];

		if (cache->n_slabs < cache->n_node_slabs)
			kernel_gap(kernel, "slab caches of which slabs are missing",
				   cache->va, true);
	}
}

struct kml_error *kernel_load_slabs(struct kernel *kernel)
{
	struct slab_load load = { .kernel = kernel };
	struct kml_error *error;
	uint32_t cache_index = 0;
	size_t i;

	error = slab_load_caches(&load);
	for (i = 0; !error && i < kernel->heads.size; i++) {
		if (kernel->heads.data[i].is_slab &&
		    !is_kfence(kernel, kernel->heads.data[i].pfn))
			error = load_slab(&load, &kernel->heads.data[i],
					  &cache_index);
	}
	vec_deinit(&load.cpu_slabs);
	if (!error)
		check_counts(kernel);
	if (!error)
		error = load_kfence(kernel);
	return error ? error : slab_add_cache_rules(kernel);
}
