/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reports ask of the dominator tree, which is not kept: what is live, whose
 * module's variables retain each object, and the accumulation points.
 */
#ifndef KML_LEAK_HOLDINGS_H
#define KML_LEAK_HOLDINGS_H

#include "leak/accumulation.h"

#define HOLDINGS_KERNEL (UINT32_MAX - 1) /* a variable of the kernel proper */
#define HOLDINGS_NOBODY UINT32_MAX       /* no variable alone */

struct holdings {
	uint32_t n_objects;
	uint64_t objects, bytes; /* all that is live beyond doubt */
	uint64_t *live;          /* a bit per object: is part of that */
	uint32_t *module;        /* by object: whose variable retains it: index
				    into kernel.modules, or one of the above */
	/* Those that the points name, without edges. */
	struct anchors holders;
	/* Nodes of words: objects, then holders. */
	struct accumulations accumulations;
};

/* @infer: NULL: types are not known. */
struct kml_error *holdings_find(struct kernel *kernel,
				const struct graph *graph,
				const uint64_t *reached,
				const struct infer *infer,
				struct holdings *ret) error_must_check;
void holdings_deinit(struct holdings *holdings);

static inline bool holdings_is_object(const struct holdings *holdings,
				      uint32_t node)
{
	return node < holdings->n_objects;
}

#endif
