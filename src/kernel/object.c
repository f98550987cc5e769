// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of one cache, ahead of the pass over the image. */
#include <stdlib.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "kernel/slab_state.h"

static struct kml_error *read_slab(struct kernel *kernel,
				   const struct heap_region *region, char *buf,
				   uint64_t *missing)
{
	uint64_t pa = region->va - kernel->direct_va, i;

	*missing = 0;
	for (i = 0; i < region->bytes / 4096 && i < 64; i++) {
		struct kml_error *error;

		error = image_read_pa(kernel->image, pa + i * 4096,
				      buf + i * 4096, 4096);
		if (kml_error_code(error) == KML_ERR_NODATA) {
			kml_error_destroy(error);
			memset(buf + i * 4096, 0, 4096);
			*missing |= UINT64_C(1) << i;
		} else if (error) {
			return error;
		}
	}
	return NULL;
}

static struct kml_error *visit_slab(struct kernel *kernel, uint32_t index,
				    kernel_object_fn *object, void *arg)
{
	struct kernel_slab *slab = &kernel->slabs.data[index];
	const struct heap_region *region =
		&kernel->heap->regions.data[slab->region];
	_cleanup_free_ char *buf = malloc(region->bytes);
	struct kml_error *error;
	uint64_t missing;
	uint32_t i;

	if (!buf)
		return error_nomem();
	if (!slab->known) {
		error = read_slab(kernel, region, buf, &missing);
		if (error)
			return error;
		/* A torn one the scan shall meet, and count. */
		slab->known = slab_set_states(kernel, index, buf, missing) !=
			      SLAB_TORN;
	}
	for (i = 0; i < region->n_objects; i++) {
		if (!heap_is_allocated(kernel->heap, region->first_id + i))
			continue;
		error = object(kernel, arg,
			       region->va + (uint64_t)i * region->slot_bytes +
				       region->pad_bytes);
		if (error)
			return error;
	}
	return NULL;
}

struct kml_error *kernel_for_each_object(struct kernel *kernel,
					 const char *cache_symbol,
					 kernel_object_fn *object, void *arg)
{
	struct kml_error *error;
	uint64_t symbol, cache;
	uint32_t i;

	error = kernel_symbol(kernel, cache_symbol, &symbol);
	if (!error)
		error = kernel_read_u64(kernel, symbol, &cache);
	for (i = 0; !error && i < kernel->slabs.size; i++) {
		uint32_t owner = kernel->heap->regions
					 .data[kernel->slabs.data[i].region]
					 .owner;

		if (kernel->caches.data[owner].va == cache)
			error = visit_slab(kernel, i, object, arg);
	}
	return error;
}
