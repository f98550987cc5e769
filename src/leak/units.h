/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The children of a node of the dominator tree, by whether they refer to each
 * other: see accumulation.h.
 */
#ifndef KML_LEAK_UNITS_H
#define KML_LEAK_UNITS_H

#include "leak/retained.h"

struct units {
	uint32_t *set;   /* by node: one nearer to what stands for its unit */
	/* The dominator tree in preorder, children as in retained.children: a
	 * node's subtree is [start, start + size). */
	uint32_t *start, *size;
};

struct kml_error *units_find(const struct graph *graph,
			     const struct retained *retained,
			     struct units *ret) error_must_check;
void units_deinit(struct units *units);

/* What stands for the unit of @node. */
static inline uint32_t units_of(struct units *units, uint32_t node)
{
	while (units->set[node] != node) {
		units->set[node] = units->set[units->set[node]];
		node = units->set[node];
	}
	return node;
}

#endif
