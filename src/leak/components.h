/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strongly connected components of the white objects. */
#ifndef KML_LEAK_COMPONENTS_H
#define KML_LEAK_COMPONENTS_H

#include "base/bitmap.h"
#include "graph/graph.h"

/*
 * The white objects, numbered from 0 in order of their ids, and the component
 * of each.  Components are numbered so that one is referred to only by higher
 * ones (reverse topological order, as Tarjan's algorithm yields them).
 */
struct components {
	uint32_t n_white;
	uint32_t *ids;        /* by white number */
	uint32_t *white;      /* white number by id; HEAP_NONE: not white */
	uint32_t *component;  /* by white number */
	uint32_t *size;       /* objects in a component */
	uint64_t *referred;   /* a bit per component: another refers to it */
	uint32_t n_components;
};

struct kml_error *components_find(const struct kernel *kernel,
				  const struct graph *graph,
				  const uint64_t *reached,
				  struct components *ret) error_must_check;
void components_deinit(struct components *components);

#endif
