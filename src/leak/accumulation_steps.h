/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between accumulation.c, which finds the points, accumulation_steps.c, which
 * finds the way down from each, and accumulation_family.c, which says what each
 * retains. */
#ifndef KML_LEAK_ACCUMULATION_STEPS_H
#define KML_LEAK_ACCUMULATION_STEPS_H

#include "leak/accumulation.h"
#include "leak/units.h"

#define NO_POINT UINT32_MAX

struct points {
	const struct kernel *kernel;
	const struct graph *graph;
	const struct retained *r;
	const struct infer *infer; /* NULL: types are not known */
	struct units units;
	struct accumulations *found;
	uint64_t *sum;     /* by node: bytes of the unit that it stands for */
	uint64_t *split;   /* a bit per object: of retained.holders.split */
	uint32_t *unit_point; /* by what stands for a unit: its point */
	uint32_t *point;   /* by node: the point that it is part of; first of
			      the children of holders and of the root alone */
};

/* Add up the children's bytes by unit, in find->sum; @clear: make it zeros
 * again. */
void accumulation_sum_units(struct points *find, uint32_t node,
			    bool clear);

/* The steps of a point, and how many children it has. */
void accumulation_find_steps(struct points *find, uint32_t index);

/* What the points retain. */
struct kml_error *accumulation_find_families(struct points *find)
	error_must_check;

#endif
