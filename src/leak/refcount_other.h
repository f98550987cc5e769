/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reference counts in structs of any type: a kref, a refcount_t, or an atomic_t
 * by a name that says so.
 *
 * What these count only the code knows: pointers, or opens, children and the
 * like, which no word says.  The objects of one type tell: where pointers
 * account for the counts of nearly all of them, one whose count is above all
 * references to it is a suspect; where they don't, that type is left out.
 */
#ifndef KML_LEAK_REFCOUNT_OTHER_H
#define KML_LEAK_REFCOUNT_OTHER_H

#include "leak/refcount.h"

/* The counts of one place in the objects of one type. */
struct count_place {
	uint32_t type, offset, bytes;
	uint32_t objects;    /* whose type is known well enough */
	uint32_t told;       /* of these: with a count above 1 */
	uint32_t above;      /* of these: above all references */
};

struct count_object {
	uint32_t id, place;
	uint64_t count;
	uint64_t references; /* that may be counted, at most */
	uint64_t members;    /* a bit for each list_head and such, by its
				offset in words, that is referred to: being on
				a list may count once */
};

struct counts {
	VEC(struct count_place) places;   /* by type */
	VEC(struct count_object) objects; /* with counts above 1, by id */
	uint32_t *first; /* by type: its first place; UINT32_MAX: none */
};

/* @skip: a byte by type, not 0: leave it out.  @reached: a bit by object. */
struct kml_error *counts_find(struct kernel *kernel, const struct graph *graph,
			      const struct infer *infer, const uint8_t *skip,
			      const uint64_t *reached, struct counts *ret)
	error_must_check;
void counts_deinit(struct counts *counts);

/* Add the suspects among them, and what was checked. */
struct kml_error *refcounts_add_others(struct kernel *kernel,
				       const struct graph *graph,
				       const struct infer *infer,
				       const uint8_t *skip,
				       const uint64_t *reached,
				       struct refcounts *ret) error_must_check;

#endif
