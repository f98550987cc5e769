/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that nothing but a task's stack holds.  Most are in use by the very
 * function that the task sleeps in; some are leaks that a stale word hides.
 */
#ifndef KML_LEAK_HELD_H
#define KML_LEAK_HELD_H

#include "leak/leak.h"

struct held {
	uint32_t id;
	uint32_t task;    /* index into kernel.tasks */
	uint64_t slot_va; /* the word on its stack */
};

struct held_list {
	struct held *held; /* by object address; each object once */
	uint32_t n_held;
	uint64_t n_objects, bytes; /* all that would be white without stacks:
				      those above and what they hold */
};

/* @reached: marked from all roots; @without: from all but stacks. */
struct kml_error *held_find(const struct kernel *kernel,
			    const struct graph *graph, const uint64_t *reached,
			    const uint64_t *without, struct held_list *ret)
	error_must_check;
void held_deinit(struct held_list *held);

#endif
