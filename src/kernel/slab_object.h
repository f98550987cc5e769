/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What slab.c and slab_cache.c share while slabs are loaded. */
#ifndef KML_KERNEL_SLAB_OBJECT_H
#define KML_KERNEL_SLAB_OBJECT_H

#include "kernel/kernel.h"

struct slab_layout {
	struct profile_member list, name, size, object_size, offset, random,
		red_left_pad, cpu_slab;
	struct profile_member cpu_freelist, cpu_page, cpu_partial;
	struct profile_member next; /* of a slab on a CPU's partial list */
	struct profile_member slab_cache, freelist, inuse, objects, slab_list;
	struct profile_member oo; /* order and objects of a new slab */
	struct profile_member refcount, frozen;
	struct kernel_nodes nodes;
	struct profile_member partial; /* in a struct kmem_cache_node */
	struct profile_member nr_slabs; /* the same */
	uint64_t cache_bytes, slab_bytes;
	bool has_random, has_cpu_slab, has_oo, has_refcount, has_frozen;
	bool has_cpu_partial, has_nr_slabs;
	bool ignores_red_zones;
};

/* The slab that a CPU allocates from, and its private freelist; 0: empty, or
 * one of those that it keeps for later. */
struct cpu_slab {
	uint64_t pfn, freelist;
};

struct slab_load {
	struct kernel *kernel;
	struct slab_layout layout;
	VEC(struct cpu_slab) cpu_slabs; /* by pfn */
	unsigned n_unlisted;
	uint64_t partial_left; /* slabs that can be on CPUs' lists yet */
};

/* Find the members, and read the caches on the list with what CPUs have of
 * each. */
struct kml_error *slab_load_caches(struct slab_load *load) error_must_check;

/* Read one that is not on the list, as it is being destroyed; what cannot be
 * read is a gap. */
struct kml_error *slab_load_unlisted(struct slab_load *load, uint64_t va)
	error_must_check;

/* The CPU's part of the slab at @pfn, if a CPU has it. */
const struct cpu_slab *slab_find_cpu(const struct slab_load *load,
				     uint64_t pfn);

/* Words of caches that hold nothing. */
struct kml_error *slab_add_cache_rules(struct kernel *kernel) error_must_check;

#endif
