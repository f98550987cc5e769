// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/stackdepot.h"

#include "base/util.h"

/* STACK_ALLOC_ALIGN, DEPOT_STACK_ALIGN since Linux 6.3: the unit of offsets. */
#define RECORD_SHIFT 4u

/*
 * The index of a pool has had three names: slabindex, pool_index since Linux
 * 6.3 (961c949b012f), and, counted from 1, pool_index_plus_1 since 6.9
 * (a6c1d9cb9a68).
 */
static bool load_index(const struct profile *p, struct stackdepot *depot)
{
	depot->index_base = 1;
	if (profile_member(p, "handle_parts", "pool_index_plus_1",
			   &depot->index))
		return true;
	depot->index_base = 0;
	return profile_member(p, "handle_parts", "pool_index", &depot->index) ||
	       profile_member(p, "handle_parts", "slabindex", &depot->index);
}

/*
 * An array, stack_slabs, stack_pools since Linux 6.3; a pointer to one that is
 * as large as a boot option says in newer kernels.
 */
static bool load_pools(struct kernel *kernel, struct stackdepot *depot)
{
	const char *name = "stack_pools";
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t bytes, unused;

	if (!kernel_has_symbol(kernel, name, &depot->pools_va)) {
		name = "stack_slabs";
		if (!kernel_has_symbol(kernel, name, &depot->pools_va))
			return false;
	}
	depot->n_pools = UINT64_C(1) << depot->index.bit_size;
	if (!profile_symbol(kernel->profile, name, &unused, &bytes))
		return false;
	if (bytes > 8) {
		depot->n_pools = MIN(depot->n_pools, bytes / 8);
		return true;
	}
	error = kernel_read_u64(kernel, depot->pools_va, &depot->pools_va);
	if (error || !depot->pools_va)
		return false;
	if (kernel_has_symbol(kernel, "stack_max_pools", &unused)) {
		error = kernel_read_uint(kernel, unused, 4, &bytes);
		if (!error)
			depot->n_pools = MIN(depot->n_pools, bytes);
	}
	return true;
}

/* Debuginfo may lie: in the bytes that are read? */
static bool is_in(const struct profile_member *member, uint64_t bytes)
{
	return member->offset + member->size <= bytes;
}

bool stackdepot_open(struct kernel *kernel, struct stackdepot *ret)
{
	const struct profile *p = kernel->profile;
	struct stackdepot depot = { 0 };

	if (!load_index(p, &depot) ||
	    !profile_member(p, "handle_parts", "offset", &depot.offset) ||
	    !profile_member(p, "stack_record", "handle", &depot.handle) ||
	    !profile_member(p, "stack_record", "size", &depot.size) ||
	    !profile_member(p, "stack_record", "entries", &depot.entries) ||
	    depot.index.bit_size - 1 >= 24 || depot.offset.bit_size - 1 >= 24 ||
	    depot.entries.offset > 256 || !is_in(&depot.index, 4) ||
	    !is_in(&depot.offset, 4) ||
	    !is_in(&depot.handle, depot.entries.offset) ||
	    !is_in(&depot.size, depot.entries.offset) ||
	    !load_pools(kernel, &depot))
		return false;
	depot.pool_bytes = UINT64_C(1)
			   << (depot.offset.bit_size + RECORD_SHIFT);
	*ret = depot;
	return true;
}

static struct kml_error *bad_handle(uint32_t handle)
{
	return error_new(KML_ERR_CORRUPT,
			 "the stack depot has no stack of handle 0x%x", handle);
}

struct kml_error *stackdepot_fetch(struct kernel *kernel,
				   const struct stackdepot *depot,
				   uint32_t handle,
				   uint64_t ret[STACKDEPOT_FRAMES],
				   size_t *n_ret)
{
	uint64_t index = kernel_get(&handle, &depot->index);
	uint64_t offset = kernel_get(&handle, &depot->offset) << RECORD_SHIFT;
	struct kml_error *error;
	char head[256];
	uint64_t pool, n;
	uint32_t own;

	*n_ret = 0;
	if (!handle)
		return NULL;
	if (index < depot->index_base ||
	    index - depot->index_base >= depot->n_pools)
		return bad_handle(handle);
	index -= depot->index_base;
	error = kernel_read_u64(kernel, depot->pools_va + index * 8, &pool);
	if (!error && !pool)
		return bad_handle(handle);
	if (!error)
		error = image_read_va(kernel->image, pool + offset, head,
				      depot->entries.offset);
	if (error)
		return error;
	own = (uint32_t)kernel_get(head, &depot->handle);
	n = kernel_get(head, &depot->size);
	/* A user may have put bits of its own into a handle, not into this. */
	if (kernel_get(&own, &depot->index) != index + depot->index_base ||
	    kernel_get(&own, &depot->offset) << RECORD_SHIFT != offset ||
	    n * 8 > depot->pool_bytes - offset)
		return bad_handle(handle);
	n = MIN(n, STACKDEPOT_FRAMES);
	error = image_read_va(kernel->image,
			      pool + offset + depot->entries.offset, ret,
			      n * 8);
	if (!error)
		*n_ret = n;
	return error;
}

static void hide_pool(struct kernel *kernel, uint32_t region)
{
	kernel_cite(kernel, BUILTIN_STACK_DEPOT);
	kernel->heap->regions.data[region].flags |= HEAP_NO_SCAN;
}

/*
 * Records link to each other, and all pools stand in the array.  Else they
 * hold return addresses: the module of one may be gone and its place be
 * somebody else's by now.
 */
struct kml_error *kernel_load_stackdepot(struct kernel *kernel)
{
	struct stackdepot depot;
	uint64_t i, pool;

	if (!stackdepot_open(kernel, &depot))
		return NULL;
	for (i = 0; i < depot.n_pools; i++) {
		uint64_t va = depot.pools_va + i * 8;
		struct kml_error *error = kernel_read_u64(kernel, va, &pool);
		uint32_t region;

		if (error)
			return kernel_forgive(kernel, error,
					      "pools of the stack depot", va);
		/* They are taken in order, and one ahead. */
		if (!pool)
			break;
		region = heap_find_region(kernel->heap, pool);
		if (region != HEAP_NONE &&
		    kernel->heap->regions.data[region].va == pool &&
		    kernel->heap->regions.data[region].kind == HEAP_PAGES)
			hide_pool(kernel, region);
	}
	return NULL;
}
