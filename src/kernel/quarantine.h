/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What KASAN keeps SLUB from giving out again. */
#ifndef KML_KERNEL_QUARANTINE_H
#define KML_KERNEL_QUARANTINE_H

#include "kernel/kernel.h"

struct quarantine {
	struct profile_member head, tail; /* of a struct qlist_head */
	struct profile_member link;       /* of a struct kasan_free_meta */
	struct profile_member meta_offset; /* of a struct kmem_cache */
	uint64_t list_bytes;
	uint64_t objects_left; /* that there can be yet */
};

/* Mark what is on the list at @list_va. */
struct kml_error *quarantine_walk(struct kernel *kernel, struct quarantine *q,
				  uint64_t list_va) error_must_check;

#endif
