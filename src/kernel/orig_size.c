// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * With slub_debug=U, SLUB also records how many bytes of a kmalloc() object
 * were asked for: set_orig_size() of mm/slub.c, behind the two struct tracks
 * (since Linux 6.1, 6edf2576a6cc).  What stands behind them is left over from
 * who had the object before.
 */
#include "kernel/track.h"

/* Before there was an enumerator, a macro: no debuginfo tells its value. */
#define SLAB_KMALLOC_BIT 12

/* Nothing but the functions that pass it on shows that this kernel records
 * the size. */
static bool is_recorded(const struct profile *profile)
{
	struct profile_member member;

	return profile_member(profile, "partial_context", "orig_size",
			      &member) ||
	       /* 7.1 took it out of there (mm/slub.c) */
	       profile_member(profile, "slab_alloc_context", "orig_size",
			      &member);
}

static uint64_t kmalloc_flag(const struct profile *profile)
{
	int64_t bit;

	if (!profile_enumerator(profile, "_SLAB_KMALLOC", &bit) || bit < 0 ||
	    bit > 63)
		bit = SLAB_KMALLOC_BIT;
	return UINT64_C(1) << bit;
}

struct kml_error *kernel_load_orig_sizes(struct kernel *kernel)
{
	uint64_t mask = kmalloc_flag(kernel->profile), flags;
	struct profile_member member;
	size_t i;

	if (!is_recorded(kernel->profile) ||
	    !profile_member(kernel->profile, "kmem_cache", "flags", &member))
		return NULL;
	for (i = 0; i < kernel->caches.size; i++) {
		struct kernel_cache *cache = &kernel->caches.data[i];
		struct kml_error *error;
		uint64_t offset = cache->track_offset + 2 * kernel->track_bytes;

		if (!cache->track_offset)
			continue;
		error = kernel_read_uint(kernel, cache->va + member.offset,
					 (unsigned)member.size, &flags);
		error = kernel_forgive(kernel, error, "slab caches", cache->va);
		if (error)
			return error;
		/* An unsigned long since 7.1: on a little-endian machine the
		 * lower half of it will do. */
		if (flags & mask &&
		    offset + 4 <= cache->slot_bytes - cache->pad_bytes) {
			cache->orig_size_offset = (uint32_t)offset;
			kernel_cite(kernel, BUILTIN_KMALLOC_SLACK);
		}
	}
	return NULL;
}
