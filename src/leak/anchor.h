/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds objects from outside of the heap, one by one: where the graph has
 * a section, a module's memory or a CPU's static area as one source, here is
 * each variable in it: an anchor; of reserved memory what each variable points
 * to.  (What a report says of a holder is another
 * matter: report/holder.h.)
 */
#ifndef KML_LEAK_ANCHOR_H
#define KML_LEAK_ANCHOR_H

#include "base/vec.h"
#include "graph/graph.h"

enum anchor_kind {
	ANCHOR_VARIABLE,  /* of the kernel image or of a module */
	ANCHOR_PERCPU,    /* a per-cpu variable's copy of one CPU */
	ANCHOR_RESERVED,  /* pages of the boot allocator and of firmware */
	ANCHOR_CODE,      /* pointers that were patched into code */
	ANCHOR_STACK,     /* a task's */
	ANCHOR_IRQ_STACK, /* a CPU's */
	ANCHOR_REGISTERS, /* a CPU's */
	ANCHOR_PAGES,     /* struct pages of one class */
	ANCHOR_KINDS,
};

/* "variable", "percpu", ...: stable. */
extern const char *const anchor_kinds[ANCHOR_KINDS];

#define ANCHOR_NO_CPU UINT32_MAX

struct anchor {
	uint8_t kind;    /* enum anchor_kind */
	uint32_t name;   /* in holders.names: a symbol, or what it is */
	uint32_t module; /* in holders.names: 0: the kernel proper */
	uint32_t owner;  /* CPU, index of a task, or page class; of
			    ANCHOR_RESERVED 1: the name is of the variable that
			    points to it (kernel/behind.h) */
	uint64_t va;     /* where it starts; 0: in no memory */
	uint64_t first_edge;
};

struct anchor_edge {
	uint32_t holder;
	uint32_t to;
	uint64_t offset : 63; /* of the word in the holder; ANCHOR_NO_OFFSET */
	uint64_t answered : 1; /* the object refers to the variable in turn, as
				  what is linked to a list's head does */
};
#define ANCHOR_NO_OFFSET (UINT64_MAX >> 1)

struct anchors {
	VEC(struct anchor) list;       /* by source, then by address */
	VEC(struct anchor_edge) edges; /* by holder, then by offset */
	VEC(char) names;               /* NUL-terminated; "" comes first */
	/* Objects whose references are all in here: modules' memory and per-cpu
	 * variables. */
	VEC(uint32_t) split;
};

struct kml_error *anchors_find(struct kernel *kernel, const struct graph *graph,
			       struct anchors *ret) error_must_check;
void anchors_deinit(struct anchors *holders);

static inline const char *anchor_name(const struct anchors *holders,
				      uint32_t name)
{
	return holders->names.data + name;
}

/* The end of a holder's edges. */
static inline uint64_t anchor_edges_end(const struct anchors *holders,
					uint32_t i)
{
	return i + 1 < holders->list.size ? holders->list.data[i + 1].first_edge :
					    holders->edges.size;
}

#endif
