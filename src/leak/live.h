/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live graph for the dominator tree: a node for each object that is
 * reached, one for each holder, and one above all of them.
 *
 * A dominator tree is easily blinded: one stale word that refers to one member
 * of a list of a million has all of them reached in two ways, and then nobody
 * retains them.  So references have ranks, and those of a higher rank count
 * only where an object cannot be reached by those of lower ranks alone:
 *
 *  0  those that are answered: the object refers to who refers to it, as it
 *     does where both are linked in a list, a tree or a hash chain, or are
 *     parent and child.  A stale word is not answered by what it refers to,
 *     nor is a short cut into somebody's list.
 *  1  other words of objects that look like members: regular.h.
 *  2  other words of variables, in the kernel image, a module or a per-cpu
 *     area, or patched into code, and of the boot allocator's memory.  Some
 *     are stale for good: of a list that only the boot needed.
 *  3  words of objects that don't, and those by which objects are looked up.
 *  4  struct pages: what they say of a page is no ownership.
 *  5  stacks and registers: somebody is just at work with it.
 *  6  nothing that is in the dump: objects in doubt, and those that a rule
 *     says are live.
 *
 * Nothing gets unreachable by this: the least rank that an object can be
 * reached with (every reference on the way being of that rank or a lower one)
 * is found first, and only references of a higher rank than its target's are
 * left out.
 */
#ifndef KML_LEAK_LIVE_H
#define KML_LEAK_LIVE_H

#include "leak/dominators.h"
#include "leak/anchor.h"

#define LIVE_RANKS 7

struct live {
	uint32_t n_objects, n_holders;
	uint64_t *nodes; /* a bit per object: it is one */
	uint64_t rank_objects[LIVE_RANKS]; /* by what it takes to reach them */
	uint64_t n_edges, n_left_out; /* without those that say the same */
};

/* The node of a holder, and of what is above all. */
static inline uint32_t live_anchor(const struct live *live, uint32_t holder)
{
	return live->n_objects + holder;
}
static inline uint32_t live_root(const struct live *live)
{
	return live->n_objects + live->n_holders;
}

/* @flow gets the rows. */
struct kml_error *live_build(struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached,
			     const struct anchors *holders, struct live *ret,
			     struct flow *flow) error_must_check;
void live_deinit(struct live *live);

#endif
