/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds objects from outside of the heap, one by one: where the graph has
 * a section, a module's memory or a CPU's static area as one source, here is
 * each variable in it.
 */
#ifndef KML_LEAK_HOLDER_H
#define KML_LEAK_HOLDER_H

#include "base/vec.h"
#include "graph/graph.h"

enum holder_kind {
	HOLDER_VARIABLE,  /* of the kernel image or of a module */
	HOLDER_PERCPU,    /* a per-cpu variable's copy of one CPU */
	HOLDER_RESERVED,  /* pages of the boot allocator and of firmware */
	HOLDER_CODE,      /* pointers that were patched into code */
	HOLDER_STACK,     /* a task's */
	HOLDER_IRQ_STACK, /* a CPU's */
	HOLDER_REGISTERS, /* a CPU's */
	HOLDER_PAGES,     /* struct pages of one class */
	HOLDER_KINDS,
};

/* "variable", "percpu", ...: stable. */
extern const char *const holder_kinds[HOLDER_KINDS];

#define HOLDER_NO_CPU UINT32_MAX

struct holder {
	uint8_t kind;    /* enum holder_kind */
	uint32_t name;   /* in holders.names: a symbol, or what it is */
	uint32_t module; /* in holders.names: 0: the kernel proper */
	uint32_t owner;  /* CPU, index of a task, or page class */
	uint64_t va;     /* where it starts; 0: in no memory */
	uint64_t first_edge;
};

struct holder_edge {
	uint32_t holder;
	uint32_t to;
	uint64_t offset : 63; /* of the word in the holder; HOLDER_NO_OFFSET */
	uint64_t answered : 1; /* the object refers to the variable in turn, as
				  what is linked to a list's head does */
};
#define HOLDER_NO_OFFSET (UINT64_MAX >> 1)

struct holders {
	VEC(struct holder) list;       /* by source, then by address */
	VEC(struct holder_edge) edges; /* by holder, then by offset */
	VEC(char) names;               /* NUL-terminated; "" comes first */
	/* Objects whose references are all in here: modules' memory and per-cpu
	 * variables. */
	VEC(uint32_t) split;
};

struct kml_error *holders_find(struct kernel *kernel, const struct graph *graph,
			       struct holders *ret) error_must_check;
void holders_deinit(struct holders *holders);

static inline const char *holder_name(const struct holders *holders,
				      uint32_t name)
{
	return holders->names.data + name;
}

/* The end of a holder's edges. */
static inline uint64_t holder_edges_end(const struct holders *holders,
					uint32_t i)
{
	return i + 1 < holders->list.size ? holders->list.data[i + 1].first_edge :
					    holders->edges.size;
}

#endif
