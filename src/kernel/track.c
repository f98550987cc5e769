// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As get_info_end() and get_track() of mm/slub.c have it: behind the object,
 * or behind its free pointer if that stands outside of it, come two struct
 * tracks, of the allocation and of the last time it was freed.
 */
#include "kernel/track.h"

#include "base/util.h"

/* Before there was an enumerator, a macro: no debuginfo tells its value. */
#define SLAB_STORE_USER_BIT 16

static uint64_t store_user(const struct profile *profile)
{
	int64_t bit;

	if (!profile_enumerator(profile, "_SLAB_STORE_USER", &bit) || bit < 0 ||
	    bit > 63)
		bit = SLAB_STORE_USER_BIT;
	return UINT64_C(1) << bit;
}

/* Where the allocation's track is in each cache that has it. */
static struct kml_error *find_tracks(struct kernel *kernel)
{
	uint64_t mask = store_user(kernel->profile), flags, inuse, bytes;
	struct profile_member flags_member, inuse_member;
	size_t i;

	if (!profile_member(kernel->profile, "kmem_cache", "flags",
			    &flags_member) ||
	    !profile_member(kernel->profile, "kmem_cache", "inuse",
			    &inuse_member) ||
	    !profile_type_size(kernel->profile, "track", &bytes) ||
	    !profile_member(kernel->profile, "track", "addr",
			    &kernel->track_addr) ||
	    !profile_member(kernel->profile, "track", "when",
			    &kernel->track_when) ||
	    !profile_member(kernel->profile, "track", "pid",
			    &kernel->track_pid) ||
	    !profile_member(kernel->profile, "track", "cpu",
			    &kernel->track_cpu) ||
	    bytes > KERNEL_TRACK_BYTES)
		return NULL;
	kernel->track_bytes = bytes;
	for (i = 0; i < kernel->caches.size; i++) {
		struct kernel_cache *cache = &kernel->caches.data[i];
		struct kml_error *error;

		error = kernel_read_uint(kernel, cache->va + flags_member.offset,
					 (unsigned)flags_member.size, &flags);
		if (!error)
			error = kernel_read_uint(kernel,
						 cache->va + inuse_member.offset,
						 4, &inuse);
		error = kernel_forgive(kernel, error, "slab caches", cache->va);
		if (error)
			return error;
		if (!(flags & mask))
			continue;
		if (cache->free_offset >= inuse)
			inuse += 8;
		if (inuse + 2 * bytes <= cache->slot_bytes - cache->pad_bytes)
			cache->track_offset = (uint32_t)inuse;
	}
	return NULL;
}

/* tick_nsec is 10^9 / HZ, but for NTP's correction. */
static void load_clock(struct kernel *kernel)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t va, ns = 0;

	if (kernel_has_symbol(kernel, "jiffies_64", &va))
		error = kernel_read_u64(kernel, va, &kernel->jiffies);
	if (!error && kernel_has_symbol(kernel, "tick_nsec", &va))
		error = kernel_read_u64(kernel, va, &ns);
	if (!error && ns >= 100000 && ns <= 100000000)
		kernel->hz = (unsigned)((1000000000 + ns / 2) / ns);
}

struct kml_error *kernel_load_tracks(struct kernel *kernel)
{
	load_clock(kernel);
	return find_tracks(kernel);
}

bool kernel_track(const struct kernel *kernel, uint32_t id,
		  struct kernel_track *ret)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	_cleanup_error_ struct kml_error *error = NULL;
	char buf[KERNEL_TRACK_BYTES];
	uint32_t offset;

	if (r->kind != HEAP_SLAB)
		return false;
	offset = kernel->caches.data[r->owner].track_offset;
	if (!offset)
		return false;
	error = image_read_va(kernel->image,
			      heap_object_va(kernel->heap, id) + offset, buf,
			      kernel->track_bytes);
	if (error)
		return false;
	*ret = (struct kernel_track){
		.caller = kernel_get(buf, &kernel->track_addr),
		.when = kernel_get(buf, &kernel->track_when),
		.pid = (uint32_t)kernel_get(buf, &kernel->track_pid),
		.cpu = (uint32_t)kernel_get(buf, &kernel->track_cpu),
	};
	/* Zeroed by init_tracking() and not yet set. */
	return ret->caller;
}

bool kernel_jiffies_age(const struct kernel *kernel, uint64_t when,
			uint64_t *ms_ret)
{
	if (!kernel->hz || when > kernel->jiffies)
		return false;
	*ms_ret = (kernel->jiffies - when) * 1000 / kernel->hz;
	return true;
}
