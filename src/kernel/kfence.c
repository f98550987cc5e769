// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KFENCE (0ce20dd84089, since Linux 5.12): now and then an allocation from a
 * slab cache is served from a pool of its own, one object a page between guard
 * pages.  The page looks like a slab of that cache, but has no freelist, and
 * the object may lie anywhere in it: struct kfence_metadata says where, of what
 * size it is and whether it has been freed.  A freed one stays as it is, as in
 * a quarantine, until the pool runs short.
 *
 * The metadata have the address of every object, and hold none.
 */
#include "kernel/kfence.h"

#include "base/util.h"

/* CONFIG_KFENCE_NUM_OBJECTS is 65535 at most. */
#define MAX_OBJECTS 65535u

struct kfence_layout {
	struct profile_member addr, size, cache, state, charge;
	int64_t allocated, unused, rcu_freeing;
	uint64_t bytes;
	bool has_charge, has_rcu_freeing;
};

static bool load_layout(struct kernel *kernel, struct kfence_layout *l)
{
	struct profile *p = kernel->profile;

	l->has_charge = profile_member(p, "kfence_metadata", "obj_exts",
				       &l->charge) ||
			profile_member(p, "kfence_metadata", "objcg",
				       &l->charge);
	l->has_rcu_freeing = profile_enumerator(p, "KFENCE_OBJECT_RCU_FREEING",
						&l->rcu_freeing);
	return profile_member(p, "kfence_metadata", "addr", &l->addr) &&
	       profile_member(p, "kfence_metadata", "size", &l->size) &&
	       profile_member(p, "kfence_metadata", "cache", &l->cache) &&
	       profile_member(p, "kfence_metadata", "state", &l->state) &&
	       profile_enumerator(p, "KFENCE_OBJECT_ALLOCATED",
				  &l->allocated) &&
	       profile_enumerator(p, "KFENCE_OBJECT_UNUSED", &l->unused) &&
	       profile_type_size(p, "kfence_metadata", &l->bytes) &&
	       l->bytes <= 4096;
}

/* Where the pool and its metadata are; false: there is none, or it was not
 * enabled at boot. */
static bool find_pool(struct kernel *kernel, uint64_t *pool_va,
		      uint64_t *metadata_va)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t pool, metadata, bytes;

	if (!kernel_has_symbol(kernel, "__kfence_pool", &pool) ||
	    !kernel_has_symbol(kernel, "kfence_metadata", &metadata))
		return false;
	error = kernel_read_u64(kernel, pool, pool_va);
	/* An array until Linux 6.6 (cabdf74e6b31), a pointer since */
	if (!error && profile_symbol(kernel->profile, "kfence_metadata",
				     &(uint64_t){ 0 }, &bytes) && bytes == 8)
		error = kernel_read_u64(kernel, metadata, &metadata);
	*metadata_va = metadata;
	return !error && kernel_is_direct(kernel, *pool_va) && metadata;
}

/* All but who is charged for the object. */
static struct kml_error *hide(struct kernel *kernel,
			      const struct kfence_layout *l, uint64_t va)
{
	uint64_t start = l->has_charge ? l->charge.offset : l->bytes;
	uint64_t end = l->has_charge ? l->charge.offset + l->charge.size :
				       l->bytes;
	struct kml_error *error = kernel_add_hole(kernel, va, start);

	kernel_cite(kernel, BUILTIN_KFENCE_METADATA);
	return error ? error : kernel_add_hole(kernel, va + end, l->bytes - end);
}

/* Object @i, in the second page of its pair; *@end: there is none such. */
static struct kml_error *load_object(struct kernel *kernel,
				     const struct kfence_layout *l,
				     uint64_t va, uint64_t i, bool *end)
{
	uint64_t page = kernel->kfence_va + (i + 1) * 2 * 4096;
	struct kernel_kfence object = { .page_va = page, .metadata_va = va };
	struct kml_error *error;
	char buf[4096];
	int64_t state;

	error = image_read_va(kernel->image, va, buf, l->bytes);
	if (error)
		return error;
	object.va = kernel_get(buf, &l->addr);
	object.bytes = kernel_get(buf, &l->size);
	object.cache_va = kernel_get(buf, &l->cache);
	state = (int64_t)kernel_get(buf, &l->state);
	/* The address lies in the page even before it is used. */
	*end = object.va - page >= 4096;
	if (*end)
		return NULL;
	object.allocated = state == l->allocated;
	object.waiting = l->has_rcu_freeing && state == l->rcu_freeing;
	error = hide(kernel, l, va);
	if (error || state == l->unused || !object.bytes ||
	    object.bytes > page + 4096 - object.va)
		return error;
	return vec_push(&kernel->kfence, object) ? NULL : error_nomem();
}

struct kml_error *kernel_load_kfence(struct kernel *kernel)
{
	struct kfence_layout layout;
	struct kml_error *error = NULL;
	uint64_t metadata, i;
	bool end = false;

	if (!load_layout(kernel, &layout) ||
	    !find_pool(kernel, &kernel->kfence_va, &metadata))
		return NULL;
	kernel->kfence_pages = 2;
	for (i = 0; !error && i < MAX_OBJECTS; i++) {
		error = load_object(kernel, &layout, metadata + i * layout.bytes,
				    i, &end);
		if (end)
			break;
		kernel->kfence_pages += 2;
	}
	return kernel_forgive(kernel, error, "metadata of KFENCE", metadata);
}

struct kml_error *kernel_mark_kfence(struct kernel *kernel)
{
	enum heap_reference how;
	size_t i;

	for (i = 0; i < kernel->kfence.size; i++) {
		const struct kernel_kfence *object = &kernel->kfence.data[i];
		uint32_t id = heap_resolve(kernel->heap, object->va, &how);

		if (id == HEAP_NONE)
			continue;
		if (!object->allocated)
			bitmap_set(kernel->heap->free, id);
		if (object->waiting)
			bitmap_set(kernel->heap->waiting, id);
		else if (!object->allocated)
			bitmap_set(kernel->heap->quarantined, id);
	}
	return NULL;
}

/* ---- who allocated it */

/* The object by the page that it is on. */
static const struct kernel_kfence *find_object(const struct kernel *kernel,
					       uint64_t page_va)
{
	size_t low =
		partition_point(kernel->kfence.size, mid,
				kernel->kfence.data[mid].page_va < page_va);

	return low < kernel->kfence.size &&
			       kernel->kfence.data[low].page_va == page_va ?
		       &kernel->kfence.data[low] :
		       NULL;
}

bool kernel_kfence_track(struct kernel *kernel, uint32_t id,
			 struct kfence_track *ret)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	const struct profile *p = kernel->profile;
	struct profile_member pid, n, entries, cpu, time;
	_cleanup_error_ struct kml_error *error = NULL;
	const struct kernel_kfence *object;
	const char *type = "kfence_metadata";
	uint64_t bytes;
	char buf[4096];

	if (!kernel->kfence.size || r->kind != HEAP_SLAB)
		return false;
	object = find_object(kernel, r->va);
	if (!object || !profile_type_size(p, type, &bytes) || bytes > 4096 ||
	    !profile_member(p, type, "alloc_track.pid", &pid) ||
	    !profile_member(p, type, "alloc_track.num_stack_entries", &n) ||
	    !profile_member(p, type, "alloc_track.stack_entries", &entries))
		return false;
	error = image_read_va(kernel->image, object->metadata_va, buf, bytes);
	if (error)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->pid = (uint32_t)kernel_get(buf, &pid);
	ret->n_frames = (size_t)MIN(kernel_get(buf, &n),
				    MIN(entries.size / 8, STACKDEPOT_FRAMES));
	memcpy(ret->frames, buf + entries.offset, ret->n_frames * 8);
	/* Not in the first kernels with KFENCE */
	ret->has_cpu = profile_member(p, type, "alloc_track.cpu", &cpu);
	if (ret->has_cpu)
		ret->cpu = (uint32_t)kernel_get(buf, &cpu);
	if (profile_member(p, type, "alloc_track.ts_nsec", &time))
		ret->ts_nsec = kernel_get(buf, &time);
	return ret->n_frames;
}
