/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mark: which objects can be reached from the roots.  As in kmemleak, an
 * object that is not reached is white, one that is reached and still to be
 * followed gray.
 */
#ifndef KML_GRAPH_MARK_H
#define KML_GRAPH_MARK_H

#include "graph/graph.h"
#include "graph/rules.h"

struct mark_statistics {
	uint64_t follows;    /* references that reached an object first */
	uint64_t duplicates; /* to an object that was reached already */
	uint64_t excused, excused_bytes; /* objects that only the user's rules
					    and a baseline hold */
};

/*
 * Mark from all roots, or from all but task stacks, and from what @rules (NULL:
 * none) say is no leak.  *@ret: a bit per object that is reached, to be
 * free()d.
 *
 * Objects in doubt (torn, unreadable) are roots as well: if they are
 * allocated, what they hold is no leak.
 */
struct kml_error *graph_mark(const struct graph *graph,
			     const struct kernel *kernel,
			     const struct rules *rules, bool without_stacks,
			     uint64_t **ret, struct mark_statistics *statistics)
	error_must_check;

#endif
