// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a slab cache keeps by NUMA node: kmem_cache.node[], pointers to struct
 * kmem_cache_node, which also has the barn of sheaves since Linux 6.18; since
 * 7.1 kmem_cache.per_node[], with a pointer to each.
 */
#include "kernel/kernel.h"

#include "base/util.h"

#define MAX_NODES 1024u

struct kml_error *kernel_load_slab_nodes(struct kernel *kernel,
				    struct kernel_nodes *ret)
{
	struct profile *p = kernel->profile;
	struct kml_error *error = NULL;
	struct profile_member array;
	uint64_t va;

	*ret = (struct kernel_nodes){ .n = 1, .bytes = 8 };
	if (profile_member(p, "kmem_cache", "per_node", &array)) {
		const struct kernel_need needs[] = {
			{ "kmem_cache_per_node_ptrs", "node", &ret->node },
			{ "kmem_cache_per_node_ptrs", "barn", &ret->barn },
			{ NULL, NULL, NULL },
		};

		error = kernel_members(kernel, needs);
		if (!error)
			error = kernel_type_size(kernel,
						 "kmem_cache_per_node_ptrs",
						 &ret->bytes);
		ret->node.offset += array.offset;
		ret->barn.offset += array.offset;
		ret->has_barn = true;
	} else {
		error = kernel_member(kernel, "kmem_cache", "node", &ret->node);
	}
	/* A constant without CONFIG_NUMA. */
	if (!error && kernel_has_symbol(kernel, "nr_node_ids", &va))
		error = kernel_read_uint(kernel, va, 4, &ret->n);
	ret->n = MIN(ret->n, MAX_NODES);
	return error;
}
