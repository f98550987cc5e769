/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KASAN's record of who allocated a slab object (CONFIG_KASAN_GENERIC). */
#ifndef KML_KERNEL_KASAN_H
#define KML_KERNEL_KASAN_H

#include "kernel/kernel.h"

struct kasan_layout {
	struct profile_member meta_offset; /* of a struct kmem_cache */
	struct profile_member pid, stack;  /* of a struct kasan_alloc_meta */
	/* CONFIG_KASAN_EXTRA_INFO, since Linux 6.8 (5d4c6ac94694) */
	bool has_extra;
	struct profile_member cpu, timestamp;
	uint64_t bytes;
};

struct kasan_track {
	uint32_t pid;
	uint32_t stack; /* handle of the stack depot */
	bool has_extra;
	uint32_t cpu;
	uint64_t ts_nsec; /* of local_clock() */
};

/* False: the kernel has no KASAN that keeps such records. */
bool kasan_open(const struct kernel *kernel, struct kasan_layout *ret);

/* False: of this object there is none. */
bool kasan_read(struct kernel *kernel, const struct kasan_layout *layout,
		uint32_t id, struct kasan_track *ret);

#endif
