// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/mempool.h"

#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"

#define MAX_POOL_BYTES 256u
#define MAX_ELEMENTS (1u << 20)
#define BATCH 512u

void mempools_init(struct mempools *pools, const struct kernel *kernel)
{
	struct profile *p = kernel->profile;

	memset(pools, 0, sizeof(*pools));
	pools->known =
		profile_type_size(p, "mempool_t", &pools->bytes) &&
		pools->bytes <= MAX_POOL_BYTES &&
		profile_member(p, "mempool_t", "min_nr", &pools->min_nr) &&
		profile_member(p, "mempool_t", "curr_nr", &pools->curr_nr) &&
		profile_member(p, "mempool_t", "elements", &pools->elements) &&
		profile_member(p, "mempool_t", "pool_data",
			       &pools->pool_data) &&
		profile_member(p, "mempool_t", "alloc", &pools->alloc) &&
		kernel_has_symbol(kernel, "mempool_alloc_slab",
				  &pools->alloc_slab) &&
		kernel_has_symbol(kernel, "mempool_kmalloc", &pools->kmalloc);
	if (!pools->known)
		pools->alloc_slab = pools->kmalloc = UINT64_MAX;
}

/* Does an object come from where the pool takes its elements? */
static bool is_element(const struct mempools *pools,
		       const struct kernel *kernel, uint64_t alloc,
		       uint64_t pool_data, uint64_t va, uint32_t *id_ret)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);
	const struct heap_region *r;

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != va)
		return false;
	*id_ret = id;
	r = heap_region_of(kernel->heap, id);
	if (alloc == pools->alloc_slab)
		return r->kind == HEAP_SLAB &&
		       kernel->caches.data[r->owner].va == pool_data;
	return r->kind == HEAP_SLAB && r->object_bytes >= pool_data;
}

/* @n elements at @va, up to one that is none. */
static struct kml_error *mark_elements(const struct mempools *pools,
				       struct kernel *kernel, const char *pool,
				       uint64_t va, uint64_t n, uint64_t *idle)
{
	uint64_t alloc = kernel_get(pool, &pools->alloc);
	uint64_t pool_data = kernel_get(pool, &pools->pool_data);
	uint64_t elements[BATCH], done, i;
	struct kml_error *error;
	uint32_t id;

	for (done = 0; done < n; done += BATCH) {
		uint64_t count = MIN(n - done, BATCH);

		error = image_read_va(kernel->image, va + done * 8, elements,
				      count * 8);
		if (error)
			return error;
		for (i = 0; i < count; i++) {
			if (!is_element(pools, kernel, alloc, pool_data,
					elements[i], &id))
				return NULL;
			bitmap_set(idle, id);
			kernel_cite(kernel, BUILTIN_MEMPOOL);
		}
	}
	return NULL;
}

static struct kml_error *mark_pool(const struct mempools *pools,
				   struct kernel *kernel, uint64_t va,
				   uint64_t *idle)
{
	char pool[MAX_POOL_BYTES];
	uint64_t elements, n, max;
	enum heap_reference how;
	struct kml_error *error;
	uint32_t id;

	error = image_read_va(kernel->image, va, pool, pools->bytes);
	if (error)
		return error;
	elements = kernel_get(pool, &pools->elements);
	max = kernel_get(pool, &pools->min_nr);
	n = kernel_get(pool, &pools->curr_nr);
	id = heap_resolve(kernel->heap, elements, &how);
	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_object_va(kernel->heap, id) != elements ||
	    max > MAX_ELEMENTS || n > max ||
	    heap_object_bytes(kernel->heap, id) < max * 8)
		return NULL;
	return mark_elements(pools, kernel, pool, elements, n, idle);
}

struct kml_error *mempools_mark(const struct mempools *pools,
				struct kernel *kernel,
				const struct graph *graph,
				const struct mempool_word *word,
				uint64_t *idle)
{
	uint64_t va = graph_word_va(graph, kernel, word->from, word->word);
	struct kml_error *error;

	if (va < pools->alloc.offset)
		return NULL;
	error = mark_pool(pools, kernel, va - pools->alloc.offset, idle);
	if (kml_error_code(error) == KML_ERR_NODATA ||
	    kml_error_code(error) == KML_ERR_CORRUPT) {
		kml_error_destroy(error);
		error = NULL;
	}
	return error;
}
