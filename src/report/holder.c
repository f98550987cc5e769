// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/holder.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/type.h"
#include "report/lookup.h"

const char *const grade_names[GRADES] = {
	[GRADE_POINTER] = "pointer member",
	[GRADE_UNTYPED] = "untyped word",
	[GRADE_NUMBER] = "member that is no pointer",
	[GRADE_PADDING] = "padding",
	[GRADE_SLACK] = "slack",
	[GRADE_VARIABLE] = "variable",
	[GRADE_EARLY] = "reserved memory",
	[GRADE_STACK] = "live stack",
	[GRADE_BELOW_SP] = "below the stack pointer",
	[GRADE_REGISTER] = "register",
	[GRADE_PAGE] = "struct page",
	[GRADE_LOGIC] = "no word",
};

const char *const holder_kinds[HOLDER_KINDS] = {
	[HOLDER_OBJECT] = "object",
	[HOLDER_IMAGE] = "kernel variable",
	[HOLDER_PERCPU] = "per-cpu variable",
	[HOLDER_MODULE] = "module",
	[HOLDER_RESERVED] = "reserved memory",
	[HOLDER_PAGE] = "struct page",
	[HOLDER_CODE] = "kernel code",
	[HOLDER_REGISTER] = "register",
	[HOLDER_IRQ_STACK] = "interrupt stack",
	[HOLDER_STACK] = "task stack",
};

static enum grade grade_typed(struct report *report, const struct object *o,
			      const struct holder *h)
{
	const uint64_t *words;
	uint64_t bytes;

	if (profile_type_size(report->kernel->profile, h->type, &bytes) &&
	    h->offset >= bytes)
		return GRADE_SLACK;
	words = lookup_pointer_words(report, o->region->owner, h->type);
	if (!words || h->offset + 8 > o->bytes ||
	    h->offset >= report->kernel->caches.data[o->region->owner]
				 .object_bytes ||
	    bitmap_test(words, h->offset / 8))
		return GRADE_POINTER;
	return h->member[0] ? GRADE_NUMBER : GRADE_PADDING;
}

/* The cache does not say it. */
static void find_inferred(struct report *report, struct holder *h)
{
	static const uint8_t grades[] = {
		[TYPES_WORD_PADDING] = GRADE_PADDING,
		[TYPES_WORD_NUMBER] = GRADE_NUMBER,
		[TYPES_WORD_POINTER] = GRADE_POINTER,
		[TYPES_WORD_BEHIND] = GRADE_SLACK,
	};
	const struct infer *infer = &report->analysis->infer;
	uint32_t type = infer->type[h->id];

	/* Arrays of numbers or of characters are as good as untyped. */
	if (types_get(&infer->types, type)->kind == TYPE_POINTER) {
		type_format_number(&infer->types, type, h->type);
		h->grade = GRADE_POINTER;
		snprintf(h->member, sizeof(h->member), "[%" PRIu64 "]",
			 h->offset / 8);
	} else if (types_is_struct(&infer->types, type)) {
		snprintf(h->type, sizeof(h->type), "%s",
			 types_name(&infer->types, type));
		infer_member(infer, h->id, h->offset, h->member,
			     sizeof(h->member));
		h->grade = grades[types_word(&infer->types, type, h->offset,
					     kernel_member_is_encoded)];
	}
	h->confidence = infer->confidence[h->id];
}

static enum grade grade_object(struct report *report, const struct object *o,
			       const struct holder *h)
{
	if (!h->va)
		return GRADE_LOGIC;
	if (h->kind == HOLDER_MODULE)
		return GRADE_VARIABLE;
	if (h->type[0])
		return grade_typed(report, o, h);
	return o->area && o->area->requested &&
			       h->offset >= o->area->requested ?
		       GRADE_SLACK :
		       GRADE_UNTYPED;
}

static void find_object(struct report *report, struct holder *h)
{
	const struct object object = object_of(report, h->id);
	const char *type;
	bool module = object.region->flags & HEAP_ROOT ||
		      (object.kind == HEAP_PERCPU &&
		       lookup_percpu_module(report->lookup, object.va) !=
			       UINT32_MAX);

	h->kind = module ? HOLDER_MODULE : HOLDER_OBJECT;
	h->state = (uint8_t)analysis_state(report->analysis, h->id);
	if (h->va) {
		h->offset = h->va - object.va;
		type = place_type(report, &object, h->offset, h->member);
		snprintf(h->type, sizeof(h->type), "%s", type ? type : "");
	}
	h->grade = (uint8_t)grade_object(report, &object, h);
	if (h->type[0])
		h->confidence = INFER_KNOWN;
	else if (h->grade == GRADE_UNTYPED &&
		 infer_is_known(&report->analysis->infer, h->id))
		find_inferred(report, h);
}

static void find_root(const struct report *report, uint32_t index,
		      struct holder *h)
{
	const struct kernel *kernel = report->kernel;
	static const struct {
		uint8_t kind, grade;
	} roots[ROOT_KINDS] = {
		[ROOT_SECTION] = { HOLDER_IMAGE, GRADE_VARIABLE },
		[ROOT_PERCPU] = { HOLDER_PERCPU, GRADE_VARIABLE },
		[ROOT_MODULE] = { HOLDER_MODULE, GRADE_VARIABLE },
		[ROOT_RESERVED] = { HOLDER_RESERVED, GRADE_EARLY },
		[ROOT_STACK] = { HOLDER_STACK, GRADE_STACK },
		[ROOT_IRQ_STACK] = { HOLDER_IRQ_STACK, GRADE_STACK },
		[ROOT_REGISTERS] = { HOLDER_REGISTER, GRADE_REGISTER },
		[ROOT_CODE] = { HOLDER_CODE, GRADE_LOGIC },
	};
	const struct kernel_root *root = &kernel->roots.data[index];

	h->kind = roots[root->kind].kind;
	h->grade = roots[root->kind].grade;
	if (root->kind == ROOT_PERCPU || root->kind == ROOT_IRQ_STACK ||
	    root->kind == ROOT_REGISTERS)
		h->cpu = (int)root->owner;
	if (root->kind != ROOT_STACK)
		return;
	h->task_index = root->owner;
	h->task = &kernel->tasks.data[root->owner];
	if (h->va < h->task->sp)
		h->grade = GRADE_BELOW_SP;
}

void holder_of(struct report *report, uint32_t source, uint32_t word,
	       struct holder *ret)
{
	const struct graph *graph = &report->analysis->graph;
	uint32_t root = graph_source_root(graph, report->kernel, source);
	struct holder h = {
		.source = source,
		.word = word,
		.kind = HOLDER_PAGE,
		.grade = GRADE_PAGE,
		.cpu = -1,
	};

	place_holder(report, source, word, &h.id, &h.va, h.text);
	if (h.id != HEAP_NONE)
		find_object(report, &h);
	else if (root != UINT32_MAX)
		find_root(report, root, &h);
	*ret = h;
}

struct stack_slot holder_frame(struct stacks *stacks,
			       const struct holder *holder)
{
	const struct held held = {
		.id = HEAP_NONE,
		.task = holder->task_index,
		.slot_va = holder->va,
	};

	return stacks_find(stacks, &held);
}

void json_holder(struct json *json, const struct report *report,
		 const struct holder *h)
{
	bool object = h->id != HEAP_NONE;

	json_string(json, "kind", holder_kinds[h->kind]);
	json_string(json, "holder", h->text);
	if (object)
		json_address(json, "object",
			     heap_object_va(report->heap, h->id));
	else
		json_null(json, "object");
	json_string(json, "state", object ? object_states[h->state] : NULL);
	json_string(json, "type", h->type[0] ? h->type : NULL);
	if (h->type[0])
		json_string(json, "type_confidence",
			    infer_confidences[h->confidence]);
	json_string(json, "member", h->member[0] ? h->member : NULL);
	if (object && h->va)
		json_number(json, "offset", h->offset);
	else
		json_null(json, "offset");
	if (h->va)
		json_address(json, "word", h->va);
	else
		json_null(json, "word");
	if (h->cpu >= 0)
		json_number(json, "cpu", (uint64_t)h->cpu);
	if (h->task) {
		json_object_line(json, "task");
		json_string(json, "comm", h->task->comm);
		json_number(json, "pid", h->task->pid);
		json_end(json);
	}
	json_string(json, "grade", grade_names[h->grade]);
}

const char *holder_how(unsigned how)
{
	return how == HEAP_REF_PAGE	? " (its struct page)" :
	       how == HEAP_REF_PERCPU	? " (its per-cpu pointer)" :
	       how == HEAP_REF_PHYSICAL ? " (its physical address)" :
					  "";
}
