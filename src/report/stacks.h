/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwound stacks, each task's once. */
#ifndef KML_REPORT_STACKS_H
#define KML_REPORT_STACKS_H

#include "report/report.h"

struct stacks;

/* NULL if there is no memory, which sticks to the writer. */
struct stacks *stacks_create(struct report *report);
void stacks_destroy(struct stacks *stacks);

/* The frame that a word of a stack belongs to. */
struct stack_slot {
	const struct lines_stack_frame *frame; /* NULL if unknown... */
	const char *why_not;                   /* ...because of this */
};

/* Valid until the stacks are destroyed. */
struct stack_slot stacks_find(struct stacks *stacks, const struct held *held);

/* Whose stacks they are. */
struct report *stacks_report(const struct stacks *stacks);

/* It, for a person, indented. */
void text_frame(struct report *report, const struct stack_slot *slot);

#endif
