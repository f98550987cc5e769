/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds: a word of the graph, with all that is known of it. */
#ifndef KML_REPORT_HOLDER_H
#define KML_REPORT_HOLDER_H

#include "report/json_writer.h"
#include "report/place.h"
#include "report/stacks.h"
#include "report/type.h"

/*
 * What a reference is worth: whether the word is known to be a pointer.  The
 * first ones may be anything that looks like one, the others say where the
 * word is.
 */
enum grade {
	GRADE_POINTER,  /* a member of a known type that is a pointer, or that
			   may be one: with flags, of a union, characters */
	GRADE_UNTYPED,  /* a word of an object whose type is not known */
	GRADE_NUMBER,   /* a member of a known type that is no pointer */
	GRADE_PADDING,  /* between the members of a known type */
	GRADE_SLACK,    /* behind the end of the type, or of what was asked
			   for */
	GRADE_VARIABLE, /* of the kernel, a module, or a CPU */
	GRADE_EARLY,    /* of reserved memory: the boot's, firmware's */
	GRADE_STACK,    /* of the live part of a stack */
	GRADE_BELOW_SP, /* of a stack, below the stack pointer (--stack=whole) */
	GRADE_REGISTER,
	GRADE_PAGE,     /* of a struct page */
	GRADE_LOGIC,    /* no word says so, but page tables, a struct page of
			   the holder, or the kernel's code */
	GRADES,
};

/* Stable; for JSON and for people. */
extern const char *const grade_names[GRADES];

enum holder_kind {
	HOLDER_OBJECT,
	HOLDER_IMAGE, /* a variable of the kernel proper */
	HOLDER_PERCPU, /* a static per-cpu variable of it */
	HOLDER_MODULE, /* memory of a module, or its per-cpu variables */
	HOLDER_RESERVED,
	HOLDER_PAGE,  /* a struct page */
	HOLDER_CODE,
	HOLDER_REGISTER,
	HOLDER_IRQ_STACK,
	HOLDER_STACK,
	HOLDER_KINDS,
};
extern const char *const holder_kinds[HOLDER_KINDS];

struct holder {
	uint32_t source, word;
	uint8_t kind;  /* enum holder_kind */
	uint8_t grade; /* enum grade */
	uint32_t id;   /* HEAP_NONE: a root, and the next three are not set */
	uint8_t state; /* enum object_state */
	uint64_t offset;   /* of the word in it, unless .va is 0 */
	char type[TYPE_BYTES]; /* its name; "" if that is not known */
	uint8_t confidence; /* of .type: enum infer_confidence */
	char member[PLACE_MEMBER_BYTES]; /* "" if none is known */
	uint64_t va;   /* of the word; 0: it is in no memory */
	int cpu;       /* whose variable, register or stack; -1: none's */
	const struct kernel_task *task; /* whose stack, or NULL */
	uint32_t task_index;
	char text[PLACE_BYTES]; /* all of it in words */
};

/* The word @word of source @source of the graph. */
void holder_of(struct report *report, uint32_t source, uint32_t word,
	       struct holder *ret);

/* The frame of a holder that is a word of a task's stack. */
struct stack_slot holder_frame(struct stacks *stacks,
			       const struct holder *holder);

/* "kind", "holder", "object", "state", "type", "member", "offset", "word",
 * "cpu", "task" and "grade" of the JSON object being written. */
void json_holder(struct json *json, const struct report *report,
		 const struct holder *holder);

/* " (its struct page)", as a word refers otherwise than by an address. */
const char *holder_how(unsigned how);

#endif
