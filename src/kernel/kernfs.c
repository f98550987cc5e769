// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nodes of sysfs and cgroups that have been removed: whoever has the file open,
 * or a dentry of it, keeps the node, but its priv refers to an attribute or an
 * object that may have been freed.  kernfs_get_active() of fs/kernfs/dir.c
 * keeps everybody from it: kernfs_node.active is KN_DEACTIVATED_BIAS.
 *
 * Nodes are often in a cache that is shared with others of their size.  The
 * two counts that they start with, and a parent that is an object of the same
 * cache, tell them from these.
 */
#include "kernel/kernel.h"

#include "base/util.h"

/* KN_DEACTIVATED_BIAS: INT_MIN + 1, for nobody uses it any more */
#define DEACTIVATED UINT64_C(0x80000001)
#define MAX_COUNT 65536u

struct kernfs_layout {
	struct profile_member count, active, parent, priv;
	uint64_t bytes;
};

static bool load_layout(struct kernel *kernel, struct kernfs_layout *l)
{
	struct profile *p = kernel->profile;

	/* __parent since Linux 6.15 (633488947ef6) */
	return (profile_member(p, "kernfs_node", "parent", &l->parent) ||
		profile_member(p, "kernfs_node", "__parent", &l->parent)) &&
	       profile_member(p, "kernfs_node", "count", &l->count) &&
	       profile_member(p, "kernfs_node", "active", &l->active) &&
	       profile_member(p, "kernfs_node", "priv", &l->priv) &&
	       profile_type_size(p, "kernfs_node", &l->bytes) &&
	       l->bytes <= 4096;
}

/* Does an object of the cache that @va is in start at @other? */
static bool is_sibling(const struct kernel *kernel, uint64_t va, uint64_t other)
{
	const struct heap *heap = kernel->heap;
	enum heap_reference how;
	uint32_t id = heap_resolve(heap, va, &how);
	uint32_t other_id = heap_resolve(heap, other, &how);

	return id != HEAP_NONE && other_id != HEAP_NONE &&
	       how == HEAP_REF_ADDRESS &&
	       heap_object_va(heap, other_id) == other &&
	       heap_region_of(heap, other_id)->kind == HEAP_SLAB &&
	       heap_region_of(heap, other_id)->owner ==
		       heap_region_of(heap, id)->owner;
}

static struct kml_error *load_node(struct kernel *kernel, void *arg,
				   uint64_t va)
{
	const struct kernfs_layout *l = arg;
	struct kml_error *error;
	char buf[4096];
	uint64_t count;

	error = image_read_va(kernel->image, va, buf, l->bytes);
	if (error)
		return kernel_forgive(kernel, error, "kernfs nodes", va);
	count = kernel_get(buf, &l->count);
	if (kernel_get(buf, &l->active) != DEACTIVATED || !count ||
	    count > MAX_COUNT ||
	    !is_sibling(kernel, va, kernel_get(buf, &l->parent)))
		return NULL;
	kernel_cite(kernel, BUILTIN_KERNFS_PRIV);
	return kernel_add_hole(kernel, va + l->priv.offset, 8);
}

struct kml_error *kernel_load_kernfs(struct kernel *kernel)
{
	struct kernfs_layout layout;
	uint64_t va;

	if (!kernel_has_symbol(kernel, "kernfs_node_cache", &va) ||
	    !load_layout(kernel, &layout))
		return NULL;
	return kernel_for_each_object(kernel, "kernfs_node_cache", load_node,
				      &layout);
}
