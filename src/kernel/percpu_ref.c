// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A percpu_ref's data has an rcu_head, for when the counter changes its mode.
 * Once its callback has run, rcu_do_batch() has cleared the function but not
 * the link, which goes on naming what was next on that list of callbacks.
 *
 * The data is an object of its own, of a kmalloc cache (since Linux 5.10,
 * 2b0d3d3e4fcf); it and its percpu_ref refer to each other, and only what does
 * is taken for one.
 */
#include "kernel/kernel.h"

#include "base/util.h"

struct ref_layout {
	struct profile_member release, next, func, ref, data;
	uint64_t bytes;
};

static bool load_layout(struct kernel *kernel, struct ref_layout *l)
{
	struct profile *p = kernel->profile;

	return profile_member(p, "percpu_ref_data", "release", &l->release) &&
	       profile_member(p, "percpu_ref_data", "rcu.next", &l->next) &&
	       profile_member(p, "percpu_ref_data", "rcu.func", &l->func) &&
	       profile_member(p, "percpu_ref_data", "ref", &l->ref) &&
	       profile_member(p, "percpu_ref", "data", &l->data) &&
	       profile_type_size(p, "percpu_ref_data", &l->bytes) &&
	       l->bytes <= 128;
}

static struct kml_error *look_at_object(struct kernel *kernel,
					const struct ref_layout *l, uint64_t va)
{
	struct kml_error *error;
	uint64_t release, data = 0;
	char buf[128];

	error = image_read_va(kernel->image, va, buf, l->bytes);
	release = error ? 0 : kernel_get(buf, &l->release);
	if (error || release < kernel->image_va ||
	    release >= kernel->modules_end_va || kernel_get(buf, &l->func) ||
	    !kernel_get(buf, &l->next))
		return error;
	error = kernel_read_u64(kernel, kernel_get(buf, &l->ref) +
						l->data.offset, &data);
	if (error || data != va)
		return error;
	kernel_cite(kernel, BUILTIN_RCU_HEAD);
	return kernel_add_hole(kernel, va + l->next.offset, 8);
}

/* Whose objects are as large as kmalloc() makes them for a percpu_ref_data? */
static bool is_of_size(const struct heap_region *region, uint64_t bytes)
{
	uint64_t rounded = 8;

	while (rounded < bytes)
		rounded *= 2;
	return region->kind == HEAP_SLAB && region->object_bytes == rounded;
}

struct kml_error *kernel_load_percpu_refs(struct kernel *kernel)
{
	struct ref_layout l;
	struct kml_error *error = NULL;
	size_t i;
	uint32_t j;

	if (!load_layout(kernel, &l))
		return NULL;
	for (i = 0; !error && i < kernel->slabs.size; i++) {
		const struct heap_region *region =
			&kernel->heap->regions
				 .data[kernel->slabs.data[i].region];

		if (!is_of_size(region, l.bytes))
			continue;
		for (j = 0; !error && j < region->n_objects; j++) {
			uint64_t va = region->va + region->pad_bytes +
				      (uint64_t)j * region->slot_bytes;

			error = look_at_object(kernel, &l, va);
			/* What the dump lacks is not scanned anyway; and most
			 * are something else, whose word is no address. */
			if (kml_error_code(error) == KML_ERR_NODATA ||
			    kml_error_code(error) == KML_ERR_CORRUPT) {
				kml_error_destroy(error);
				error = NULL;
			}
		}
	}
	return error;
}
