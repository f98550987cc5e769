/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory cgroups: whom memory is charged to. */
#ifndef KML_KERNEL_MEMCG_H
#define KML_KERNEL_MEMCG_H

#include "kernel/kernel.h"

#define MEMCG_PATH_BYTES 256

struct memcg_layout {
	struct profile_member objcg_memcg;   /* of a struct obj_cgroup */
	struct profile_member cgroup, flags; /* of a struct mem_cgroup */
	struct profile_member kn;            /* of a struct cgroup */
	struct profile_member name, parent, id; /* of a struct kernfs_node */
	struct profile_member page_charge;   /* of a struct page */
	bool has_page_charge, has_flags;
	uint64_t memcg_bytes;
	uint64_t online; /* mask of flags */
};

struct memcg {
	uint64_t va;
	uint64_t id; /* of the cgroup, and inode number of its directory; 0:
			not known */
	char path[MEMCG_PATH_BYTES]; /* below the mount point: "/", "/a/b"; ""
					if not known */
	bool deleted;
};

/* False: the kernel has none (CONFIG_MEMCG). */
bool memcg_open(struct kernel *kernel, struct memcg_layout *ret);

/* The mem_cgroup behind a pointer to one or to a struct obj_cgroup, flags in
 * its low bits; 0: none. */
uint64_t memcg_of_charge(struct kernel *kernel,
			 const struct memcg_layout *layout, uint64_t charge);
/* That a page outside of slabs is charged to; 0: none. */
uint64_t memcg_of_page(struct kernel *kernel,
		       const struct memcg_layout *layout, uint64_t pfn);

void memcg_read(struct kernel *kernel, const struct memcg_layout *layout,
		uint64_t va, struct memcg *ret);

#endif
