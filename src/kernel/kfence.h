/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who allocated an object of KFENCE: its metadata have the stack itself. */
#ifndef KML_KERNEL_KFENCE_H
#define KML_KERNEL_KFENCE_H

#include "kernel/stackdepot.h"

struct kfence_track {
	uint32_t pid, cpu;
	bool has_cpu;
	uint64_t ts_nsec; /* since boot; 0: not known */
	size_t n_frames;
	uint64_t frames[STACKDEPOT_FRAMES]; /* innermost first */
};

/* False: it is none of KFENCE's. */
bool kernel_kfence_track(struct kernel *kernel, uint32_t id,
			 struct kfence_track *ret);

#endif
