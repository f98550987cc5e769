// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two freelists lead through a slab: its own, from slab.freelist, and, if a
 * CPU allocates from it, that CPU's.  Each link lies in a free object; with
 * CONFIG_SLAB_FREELIST_HARDENED (2482ddec670f, Linux 4.14) it is XORed with a
 * secret of the cache and the byte-swapped address of the link itself.
 *
 * Objects on the CPU's list count as allocated for the slab (inuse), so that
 * a sound slab has exactly objects - inuse on its own list.
 */
#include "kernel/slab_state.h"

#include "base/util.h"

struct slab_walk {
	const struct kernel *kernel;
	const struct heap_region *region;
	const struct kernel_cache *cache;
	const char *buf;
	uint64_t missing;
};

/* The index of the object that starts at @va, or n_objects. */
static uint32_t object_index(const struct slab_walk *walk, uint64_t va)
{
	const struct heap_region *r = walk->region;
	uint64_t offset = va - r->va - r->pad_bytes;

	if (offset >= r->bytes || offset % r->slot_bytes ||
	    offset / r->slot_bytes >= r->n_objects)
		return r->n_objects;
	return (uint32_t)(offset / r->slot_bytes);
}

static uint64_t next_free(const struct slab_walk *walk, uint64_t va)
{
	uint64_t link_va = va + walk->cache->free_offset;
	uint64_t link = load_u64(walk->buf + (link_va - walk->region->va));

	if (walk->cache->random)
		link ^= walk->cache->random ^ __builtin_bswap64(link_va);
	return link;
}

static bool page_missing(const struct slab_walk *walk, uint64_t va)
{
	return walk->missing >> ((va - walk->region->va) / 4096) & 1;
}

/* Walk one list, marking what is on it.  *@n_ret: how many were. */
static enum slab_verdict walk_freelist(const struct slab_walk *walk,
				       uint64_t va, bool cached,
				       uint32_t *n_ret)
{
	struct heap *heap = walk->kernel->heap;
	uint32_t n = 0;

	*n_ret = 0;
	while (va) {
		uint32_t i = object_index(walk, va), id;

		if (i == walk->region->n_objects)
			return SLAB_TORN;
		id = walk->region->first_id + i;
		if (bitmap_test(heap->free, id))
			return SLAB_TORN; /* a cycle, or on both lists */
		bitmap_set_atomic(heap->free, id);
		if (cached)
			bitmap_set_atomic(heap->cached, id);
		*n_ret = ++n;
		if (page_missing(walk, va + walk->cache->free_offset))
			return SLAB_UNREADABLE;
		va = next_free(walk, va);
	}
	return SLAB_SOUND;
}

/* Of a slab none of whose objects is in use. */
static void free_the_rest(const struct slab_walk *walk)
{
	const struct heap_region *r = walk->region;
	uint32_t i;

	for (i = 0; i < r->n_objects; i++)
		bitmap_set_atomic(walk->kernel->heap->free, r->first_id + i);
}

/* After a failed walk: what is not known to be free may be either. */
static void doubt_the_rest(const struct slab_walk *walk, uint64_t *map)
{
	struct heap *heap = walk->kernel->heap;
	uint32_t i;

	for (i = 0; i < walk->region->n_objects; i++) {
		uint32_t id = walk->region->first_id + i;

		if (!bitmap_test(heap->free, id))
			bitmap_set_atomic(map, id);
	}
}

/* Objects with bytes on a page that the dump lacks. */
static void mark_unreadable(const struct slab_walk *walk)
{
	const struct heap_region *r = walk->region;
	uint32_t i;

	for (i = 0; i < r->n_objects; i++) {
		uint64_t offset = (uint64_t)i * r->slot_bytes + r->pad_bytes;
		uint64_t page = offset / 4096;

		for (; page <= (offset + r->object_bytes - 1) / 4096; page++) {
			if (walk->missing >> page & 1 &&
			    !bitmap_test(walk->kernel->heap->free,
					 r->first_id + i))
				bitmap_set_atomic(walk->kernel->heap->unreadable,
						  r->first_id + i);
		}
	}
}

enum slab_verdict slab_set_states(const struct kernel *kernel, uint32_t index,
				  const char *buf, uint64_t missing)
{
	const struct kernel_slab *slab = &kernel->slabs.data[index];
	const struct heap_region *region =
		&kernel->heap->regions.data[slab->region];
	const struct slab_walk walk = {
		.kernel = kernel,
		.region = region,
		.cache = &kernel->caches.data[region->owner],
		.buf = buf,
		.missing = missing,
	};
	enum slab_verdict verdict;
	uint32_t n, n_cpu;

	verdict = slab->moving ? SLAB_TORN :
				 walk_freelist(&walk, slab->freelist, false, &n);
	if (verdict == SLAB_SOUND && n != (uint32_t)(slab->objects - slab->inuse))
		verdict = SLAB_TORN;
	if (verdict == SLAB_SOUND)
		verdict = walk_freelist(&walk, slab->cpu_freelist, true, &n_cpu);
	/* While it is being made, its freelist grows. */
	if (verdict == SLAB_TORN && !slab->inuse && !slab->cpu_freelist) {
		free_the_rest(&walk);
		return SLAB_EMPTY;
	}
	if (verdict == SLAB_TORN)
		doubt_the_rest(&walk, kernel->heap->torn);
	else if (verdict == SLAB_UNREADABLE)
		doubt_the_rest(&walk, kernel->heap->unreadable);
	else if (walk.cache->doubtful)
		doubt_the_rest(&walk, kernel->heap->unreadable);
	if (missing) {
		mark_unreadable(&walk);
		if (verdict == SLAB_SOUND)
			verdict = SLAB_UNREADABLE;
	}
	return verdict;
}
