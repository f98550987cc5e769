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
	if (!profile_member(kernel->profile, "track", "handle",
			    &kernel->track_handle))
		kernel->track_handle.size = 0;
	if (!profile_member(kernel->profile, "track", "addrs",
			    &kernel->track_addrs))
		kernel->track_addrs.size = 0;
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

/*
 * How late it is by local_clock(): what the scheduler noted of it last, on any
 * CPU; one that is idle notes nothing.  INITIAL_JIFFIES is five minutes before
 * the 32 bits of the counter are full.
 */
static void load_local_clock(struct kernel *kernel)
{
	struct profile_member clock;
	uint64_t va, ns, first;
	unsigned cpu;

	if (kernel->hz) {
		first = (UINT64_C(1) << 32) - 300 * kernel->hz;
		if (kernel->jiffies > first)
			kernel->clock_ns = (kernel->jiffies - first) *
					   (1000000000 / kernel->hz);
	}
	if (!kernel_has_symbol(kernel, "runqueues", &va) ||
	    !profile_member(kernel->profile, "rq", "clock", &clock))
		return;
	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		_cleanup_error_ struct kml_error *error = NULL;

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_u64(kernel, va + kernel->cpu_offset[cpu] +
							clock.offset, &ns);
		/* Years: that is no clock. */
		if (!error && ns > kernel->clock_ns && ns >> 59 == 0)
			kernel->clock_ns = ns;
	}
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
	load_local_clock(kernel);
	return find_tracks(kernel);
}

bool kernel_track(const struct kernel *kernel, uint32_t id,
		  struct kernel_track *ret)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	_cleanup_error_ struct kml_error *error = NULL;
	char buf[KERNEL_TRACK_BYTES];
	uint32_t offset;
	uint64_t va;

	if (r->kind != HEAP_SLAB)
		return false;
	offset = kernel->caches.data[r->owner].track_offset;
	if (!offset)
		return false;
	va = heap_object_va(kernel->heap, id) + offset;
	error = image_read_va(kernel->image, va, buf, kernel->track_bytes);
	if (error)
		return false;
	*ret = (struct kernel_track){
		.caller = kernel_get(buf, &kernel->track_addr),
		.when = kernel_get(buf, &kernel->track_when),
		.pid = (uint32_t)kernel_get(buf, &kernel->track_pid),
		.cpu = (uint32_t)kernel_get(buf, &kernel->track_cpu),
	};
	if (kernel->track_handle.size)
		ret->stack = (uint32_t)kernel_get(buf, &kernel->track_handle);
	if (kernel->track_addrs.size)
		ret->addrs_va = va + kernel->track_addrs.offset;
	/* Zeroed by init_tracking() and not yet set. */
	return ret->caller;
}

/* Of a stack that stands in the track: up to the first 0. */
static size_t read_addrs(struct kernel *kernel,
			 const struct kernel_track *track,
			 uint64_t ret[STACKDEPOT_FRAMES])
{
	size_t n = MIN(kernel->track_addrs.size / 8, STACKDEPOT_FRAMES), i;
	_cleanup_error_ struct kml_error *error = NULL;

	error = image_read_va(kernel->image, track->addrs_va, ret, n * 8);
	for (i = 0; !error && i < n && ret[i]; i++)
		;
	return i;
}

size_t kernel_track_stack(struct kernel *kernel,
			  const struct stackdepot *depot,
			  const struct kernel_track *track,
			  uint64_t ret[STACKDEPOT_FRAMES])
{
	struct kml_error *error;
	size_t n = 0;

	if (track->addrs_va) {
		n = read_addrs(kernel, track, ret);
	} else if (depot && track->stack) {
		error = stackdepot_fetch(kernel, depot, track->stack, ret, &n);
		if (error)
			n = 0;
		kml_error_destroy(error);
	}
	if (!n)
		ret[n++] = track->caller;
	return n;
}

bool kernel_clock_age(const struct kernel *kernel, uint64_t ns,
		      uint64_t *ms_ret)
{
	if (!ns || !kernel->clock_ns || ns >> 59)
		return false;
	/* The two clocks are not read at the same moment. */
	*ms_ret = ns < kernel->clock_ns ? (kernel->clock_ns - ns) / 1000000 : 0;
	return true;
}

bool kernel_jiffies_age(const struct kernel *kernel, uint64_t when,
			uint64_t *ms_ret)
{
	if (!kernel->hz || when > kernel->jiffies)
		return false;
	*ms_ret = (kernel->jiffies - when) * 1000 / kernel->hz;
	return true;
}
