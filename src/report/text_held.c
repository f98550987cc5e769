// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects that nothing but a task's stack holds: who is in the way? */
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "report/number.h"
#include "report/object.h"
#include "report/stacks.h"

void text_frame(struct report *report, const struct stack_slot *slot)
{
	struct writer *w = &report->writer;
	char symbol[SYMBOL_BYTES_MAX], text[512];
	size_t i;

	if (slot->why_not) {
		writer_printf(w, "      in an unknown frame: %s\n",
			      slot->why_not);
		return;
	}
	if (!slot->frame->n_frames) {
		object_code_symbol(report, slot->frame->pc, symbol);
		writer_printf(w, "      in the frame of %s\n", symbol);
		return;
	}
	for (i = 0; i < slot->frame->n_frames; i++) {
		frame_format(&slot->frame->frames[i], text, sizeof(text));
		writer_printf(w, "      %s %s%s\n",
			      i ? "called by" : "in the frame of", text,
			      slot->frame->frames[i].inlined ? " (inlined)" : "");
	}
}

static void print_held(struct report *report, struct stacks *stacks,
		       const struct held *held)
{
	const struct object object = object_of(report, held->id);
	const struct kernel_task *task =
		&report->kernel->tasks.data[held->task];
	const struct stack_slot slot = stacks_find(stacks, held);

	writer_printf(&report->writer,
		      "\n    0x%016" PRIx64 "  %s  %s\n"
		      "      at 0x%016" PRIx64 " on the stack of %s (pid %" PRIu32 "), %s above its stack pointer\n",
		      object.va, BYTES(object.bytes), object_family(&object),
		      held->slot_va, task->comm, task->pid,
		      BYTES(held->slot_va - task->sp));
	text_frame(report, &slot);
}

void text_held(struct report *report)
{
	const struct held_list *list = &report->analysis->held;
	struct stacks *stacks;
	uint32_t i;

	if (!list->n_held) {
		writer_puts(&report->writer,
			    "\nNo object is held by a task's stack alone.\n");
		return;
	}
	writer_printf(&report->writer,
		      "\n%s held by task stacks alone; with what they hold in turn %s, %s\n",
		      COUNT_OF(list->n_held, "object"),
		      COUNT_OF(list->n_objects, "object"), BYTES(list->bytes));
	stacks = stacks_create(report);
	for (i = 0; stacks && i < list->n_held; i++)
		print_held(report, stacks, &list->held[i]);
	stacks_destroy(stacks);
}
