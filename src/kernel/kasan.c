// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kasan.h"

#include "base/util.h"

#define MAX_META_BYTES 256u
#define TIMESTAMP_SHIFT 9 /* kasan_set_track(): in units of 512 ns */

bool kasan_open(const struct kernel *kernel, struct kasan_layout *ret)
{
	const struct profile *p = kernel->profile;
	const char *type = "kasan_alloc_meta";

	ret->has_extra = profile_member(p, type, "alloc_track.cpu",
					&ret->cpu) &&
			 profile_member(p, type, "alloc_track.timestamp",
					&ret->timestamp);
	return profile_member(p, "kmem_cache", "kasan_info.alloc_meta_offset",
			      &ret->meta_offset) &&
	       profile_type_size(p, type, &ret->bytes) &&
	       ret->bytes <= MAX_META_BYTES &&
	       profile_member(p, type, "alloc_track.pid", &ret->pid) &&
	       profile_member(p, type, "alloc_track.stack", &ret->stack);
}

/* As kasan_get_alloc_meta() has it: in the object's slot, behind it; in a
 * cache that keeps none the offset is 0. */
bool kasan_read(struct kernel *kernel, const struct kasan_layout *layout,
		uint32_t id, struct kasan_track *ret)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	_cleanup_error_ struct kml_error *error = NULL;
	const struct kernel_cache *cache;
	char buf[MAX_META_BYTES];
	uint64_t offset;

	if (r->kind != HEAP_SLAB)
		return false;
	cache = &kernel->caches.data[r->owner];
	error = kernel_read_uint(kernel, cache->va + layout->meta_offset.offset,
				 4, &offset);
	if (error || offset < cache->object_bytes ||
	    offset + layout->bytes > cache->slot_bytes - cache->pad_bytes)
		return false;
	error = image_read_va(kernel->image,
			      heap_object_va(kernel->heap, id) + offset, buf,
			      layout->bytes);
	if (error)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->pid = (uint32_t)kernel_get(buf, &layout->pid);
	ret->stack = (uint32_t)kernel_get(buf, &layout->stack);
	ret->has_extra = layout->has_extra;
	if (ret->has_extra) {
		ret->cpu = (uint32_t)kernel_get(buf, &layout->cpu);
		ret->ts_nsec = kernel_get(buf, &layout->timestamp)
			       << TIMESTAMP_SHIFT;
	}
	return ret->stack;
}
