/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dominator tree of a flow graph: a node's immediate dominator is the last
 * node that every way from the root to it leads through.  What a node
 * dominates could not be reached without it: that is what it retains.
 *
 * Semi-NCA (Georgiadis, "Linear-time algorithms for dominators and related
 * problems", 2005) with path compression, and with jump pointers where it
 * looks for the nearest common ancestor, so that no graph takes more than
 * O(m log n).  Nothing recurs: a list is millions of nodes deep.
 */
#ifndef KML_LEAK_DOMINATORS_H
#define KML_LEAK_DOMINATORS_H

#include <stdint.h>

#include "base/error.h"

#define DOMINATORS_NONE UINT32_MAX

/* Successors in rows; to[first[n] .. first[n + 1]) are node n's. */
struct flow {
	uint32_t n_nodes, root;
	uint64_t *first; /* n_nodes + 1 */
	uint32_t *to;
};

struct dominators {
	uint32_t n_nodes;
	uint32_t n_reached;
	uint32_t *idom;  /* by node; the root's is itself; DOMINATORS_NONE: not
			    reached */
	uint32_t *order; /* the n_reached nodes so that each stands behind its
			    dominators, the root first */
};

/* Uses up the rows: @flow has none afterwards, successful or not. */
struct kml_error *dominators_find(struct flow *flow, struct dominators *ret)
	error_must_check;
void dominators_deinit(struct dominators *dominators);
void flow_deinit(struct flow *flow);

#endif
