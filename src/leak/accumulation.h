/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accumulation points: who retains much, though none of what it refers to
 * explains that by itself.
 *
 * Below a node of the dominator tree its children fall into units: children
 * that refer to each other, directly or through what they dominate, are one
 * (the members of a list, of which the head knows two), others are not (what
 * another member of the same variable leads to).  A variable's large units are
 * points of their own, named by the word that leads there; its small ones are
 * one point together (a table of hash chains).  Objects that more than one
 * holder leads to are points by themselves if they are large, otherwise those
 * that refer to each other are one.  So all that is live is in one point.
 *
 * From there the way leads down as long as one child explains nearly all of
 * it: variable -> object -> table.  A singly linked list, of which each member
 * dominates the next one, ends it at its first member, and so does a tree.
 */
#ifndef KML_LEAK_ACCUMULATION_H
#define KML_LEAK_ACCUMULATION_H

#include "leak/infer.h"
#include "leak/retained.h"

/* Points that are kept, those that retain most. */
#define ACCUMULATIONS_MAX 1000u
#define ACCUMULATION_STEPS 8u
#define ACCUMULATION_WAYS 4u

enum accumulation_kind {
	ACCUMULATION_HELD,   /* by one holder */
	ACCUMULATION_OBJECT, /* an object's, which several holders lead to */
	ACCUMULATION_SHARED, /* objects that refer to each other, to which
				several holders lead */
};

/* A word of a holder or of an object. */
struct accumulation_word {
	uint32_t node;
	uint64_t offset; /* ANCHOR_NO_OFFSET: several words, or in no memory */
};

struct accumulation {
	uint8_t kind;    /* enum accumulation_kind */
	uint32_t node;   /* the holder or the object; of what is shared an
			    example */
	uint64_t objects, bytes;
	uint64_t n_children; /* directly below the last step */
	uint64_t n_outside;  /* references from elsewhere, which do not count or
				of which none leads to all of it */
	/* From the holder, or the object, down to what has the children. */
	uint32_t n_steps;    /* at least 1, unless it is shared... */
	uint32_t n_omitted;  /* ... and more between the last two of them */
	struct accumulation_word steps[ACCUMULATION_STEPS];
	bool is_list;        /* the first step is a list's head: it and the
				next word are answered; set by holdings.c */
	uint64_t n_chain;    /* the last step's children follow each other: a
				list of so many; 0: they don't */
	/* If several holders lead there: some of them. */
	uint32_t n_ways;
	struct accumulation_word ways[ACCUMULATION_WAYS];
	uint32_t first_family; /* index into accumulations.families */
	uint32_t n_families;
};

/* What a point retains, by cache or kind, and type where the cache does not say
 * it: the one with most bytes first. */
struct accumulation_family {
	uint8_t kind;   /* enum heap_kind */
	uint32_t cache; /* HEAP_SLAB: index into kernel.caches, else HEAP_NONE */
	uint32_t type;  /* infer_beyond_cache(); 0: unknown */
	uint64_t objects, bytes;
};

struct accumulations {
	VEC(struct accumulation) points; /* the one with most bytes first */
	VEC(struct accumulation_family) families;
	/* Points that are not kept. */
	uint64_t n_omitted, omitted_objects, omitted_bytes;
};

/* @infer: NULL: types are not known. */
struct kml_error *accumulations_find(const struct kernel *kernel,
				     const struct graph *graph,
				     const struct retained *retained,
				     const struct infer *infer,
				     struct accumulations *ret)
	error_must_check;
void accumulations_deinit(struct accumulations *accumulations);

#endif
