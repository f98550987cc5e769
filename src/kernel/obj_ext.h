/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel keeps of each object of a slab or per-cpu chunk besides the
 * object: whom it is charged to, and its allocation tag.
 *
 * A vector of struct obj_cgroup pointers, since Linux 6.10 (21c690a349ba) of
 * struct slabobj_ext; each slab has its own or none.
 */
#ifndef KML_KERNEL_OBJ_EXT_H
#define KML_KERNEL_OBJ_EXT_H

#include "kernel/kernel.h"

struct obj_ext_layout {
	bool has_slab, has_percpu;
	struct profile_member slab_vector; /* of a struct slab or page */
	uint64_t bytes;       /* of an element, where all are the same */
	int charge, tag;      /* offsets in it; -1: there is none */
	/* Else an element has what its slab needs, in this order (7.3). */
	bool is_packed, has_tags;
	struct profile_member needs_charge;
	bool has_stride;      /* since 7.0 slabs say how far apart they are, */
	struct profile_member stride;
	bool has_in_object;   /* or that they are in the objects' slots */
	struct profile_member in_object;

	struct profile_member percpu_vector; /* of a struct pcpu_chunk */
	uint64_t percpu_bytes;
	int percpu_charge, percpu_tag;
};

/* The vector of one slab or per-cpu chunk. */
struct obj_exts {
	uint64_t va;     /* of the element of its first object; 0: none */
	uint64_t stride;
	int charge, tag; /* offsets in an element; -1: not there */
};

/* False: the kernel keeps nothing of the kind. */
bool obj_ext_open(struct kernel *kernel, struct obj_ext_layout *ret);

/* Of the slab or per-cpu chunk that is region @r.  False if it has none. */
bool obj_ext_find(struct kernel *kernel, const struct obj_ext_layout *layout,
		  const struct heap_region *r, uint32_t index,
		  struct obj_exts *ret);

/*
 * Of object @index of the slab, or, for a per-cpu chunk, of the first object
 * that @ret was found for.  What there is not is 0.
 */
void obj_ext_read(struct kernel *kernel, const struct obj_exts *exts,
		  uint64_t index, uint64_t *charge_ret, uint64_t *tag_ret);

#endif
