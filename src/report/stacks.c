// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/stacks.h"

#include <stdlib.h>

#include "base/util.h"

struct stack {
	bool unwound;
	struct lines_stack_frame *frames;
	size_t n_frames;
	struct kml_error *error;
};

struct stacks {
	struct report *report;
	struct stack *by_task;
};

struct stacks *stacks_create(struct report *report)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));

	if (stacks) {
		stacks->report = report;
		stacks->by_task = calloc(report->kernel->tasks.size + 1,
					 sizeof(*stacks->by_task));
	}
	if (!stacks || !stacks->by_task) {
		free(stacks);
		writer_fail(&report->writer, error_nomem());
		return NULL;
	}
	return stacks;
}

void stacks_destroy(struct stacks *stacks)
{
	size_t i;

	if (!stacks)
		return;
	for (i = 0; i < stacks->report->kernel->tasks.size; i++) {
		free(stacks->by_task[i].frames);
		kml_error_destroy(stacks->by_task[i].error);
	}
	free(stacks->by_task);
	free(stacks);
}

struct report *stacks_report(const struct stacks *stacks)
{
	return stacks->report;
}

static void unwind(struct stacks *stacks, uint32_t task, struct stack *stack)
{
	stack->unwound = true;
	stack->error = lines_stack(stacks->report->analysis->lines,
				   stacks->report->kernel->tasks.data[task].va,
				   &stack->frames, &stack->n_frames);
}

struct stack_slot stacks_find(struct stacks *stacks, const struct held *held)
{
	struct stack *stack = &stacks->by_task[held->task];
	struct stack_slot slot = { NULL, NULL };
	size_t i;

	if (stacks->report->analysis->options.no_lines) {
		slot.why_not = "stacks are not unwound with --no-lines";
		return slot;
	}
	if (!stack->unwound)
		unwind(stacks, held->task, stack);
	if (stack->error) {
		slot.why_not = kml_error_message(stack->error);
		return slot;
	}
	/* The words of [sp, the next frame's sp) are a frame's; a word above
	 * the last frame is nobody's that is known. */
	for (i = 0; i + 1 < stack->n_frames; i++) {
		const struct lines_stack_frame *frame = &stack->frames[i];

		if (frame->sp && held->slot_va >= frame->sp &&
		    held->slot_va < frame[1].sp) {
			slot.frame = frame;
			return slot;
		}
	}
	slot.why_not = "the unwinder has no frame there";
	return slot;
}
