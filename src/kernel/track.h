/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SLUB's user tracking (slub_debug=U): behind each object stands who allocated
 * it and when.  A kernel that was not booted so keeps nothing of the kind.
 */
#ifndef KML_KERNEL_TRACK_H
#define KML_KERNEL_TRACK_H

#include "kernel/stackdepot.h"

struct kernel_track {
	uint64_t caller; /* return address */
	uint32_t stack;  /* handle of the stack depot, since Linux 5.19
			    (5cf909c553e9); 0: none */
	uint64_t addrs_va; /* before that the stack stands here; 0: it does not */
	uint64_t when;   /* jiffies */
	uint32_t pid, cpu;
};

/* Find out which caches track, and how long a jiffy is. */
struct kml_error *kernel_load_tracks(struct kernel *kernel) error_must_check;

/* Find out which caches record the size that was asked for; after the tracks
 * (orig_size.c). */
struct kml_error *kernel_load_orig_sizes(struct kernel *kernel)
	error_must_check;

/* Who allocated an object; false: not tracked, or not readable. */
bool kernel_track(const struct kernel *kernel, uint32_t id,
		  struct kernel_track *ret);

/* The stack that was recorded, innermost frame first; the caller alone where
 * there is none.  At least one frame. */
size_t kernel_track_stack(struct kernel *kernel,
			  const struct stackdepot *depot,
			  const struct kernel_track *track,
			  uint64_t ret[STACKDEPOT_FRAMES]);

/* Milliseconds from then to the dump; false if a jiffy's length is unknown, or
 * that is in the future. */
bool kernel_jiffies_age(const struct kernel *kernel, uint64_t when,
			uint64_t *ms_ret);
/* The same for a moment of local_clock(), nanoseconds since boot. */
bool kernel_clock_age(const struct kernel *kernel, uint64_t ns,
		      uint64_t *ms_ret);

#endif
