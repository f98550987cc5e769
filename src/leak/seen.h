/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which words the kernel's own kmemleak scans, and which of them we do not. */
#ifndef KML_LEAK_SEEN_H
#define KML_LEAK_SEEN_H

#include "leak/compare.h"

/* What kmemleak does with a word of memory. */
enum seen {
	SEEN,            /* scans it */
	SEEN_NO_RECORD,  /* nothing that it tracks */
	SEEN_NO_SCAN,    /* tracked, but not scanned, or black */
	SEEN_NOT_AREA,   /* outside of the scan areas */
	SEEN_WHITE,      /* of an object that is not held itself */
};

/* Its records by address. */
struct seen_extent {
	uint64_t start, end;
	uint32_t record;
};
struct seen_index {
	const struct kernel *kernel;
	const struct kmemleak *kmemleak;
	VEC(struct seen_extent) extents;
	uint64_t percpu_bytes; /* of the static per-cpu area */
};

struct kml_error *seen_index_init(struct seen_index *index,
				  const struct kernel *kernel,
				  const struct kmemleak *kmemleak)
	error_must_check;
void seen_index_deinit(struct seen_index *index);

enum seen seen_word(const struct seen_index *index, uint64_t va);

/*
 * Look for words that kmemleak scans, we do not, and that refer to an object
 * with a bit in @wanted: in the parts of objects that a rule of ours leaves
 * out, in what lies unused in mempools, behind what was asked of kmalloc(), in
 * the dead parts of stacks, in struct pages.  ret[slot[id]] gets the
 * first of each object.
 */
struct kml_error *seen_find_stale(struct seen_index *index,
				  struct kernel *kernel,
				  const struct graph *graph,
				  const uint64_t *wanted, const uint32_t *slot,
				  struct compare_word *ret) error_must_check;

#endif
