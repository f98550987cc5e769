/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blind rate: how likely a leak is missed in this very dump.
 *
 * Objects that are free beyond doubt are referred to by nobody; where reachable
 * memory refers to one nevertheless, it does so by a stale word, and would hide
 * a leaked object just as well.  The share of free slab objects that the scan
 * would have called referenced thus estimates the share of leaks that it
 * misses, without any leak being known.
 */
#ifndef KML_LEAK_BLIND_H
#define KML_LEAK_BLIND_H

#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "kernel/kernel.h"

/* Where stale words are: in the objects of one cache, or of one kind, or in
 * one root; of the first and the last at one place of it. */
struct blind_holder {
	uint32_t source; /* an example of it: as in struct graph */
	uint32_t word;   /* of the source; BLIND_ANYWHERE: all that it has */
	uint8_t how;     /* enum heap_reference */
	uint64_t n_free; /* free objects that it refers to... */
	uint64_t n_alone; /* ... and nobody else does */
};

#define BLIND_ANYWHERE UINT32_MAX
#define BLIND_HOLDERS_MAX 100u

struct blind {
	uint64_t n_free;       /* free slab objects */
	uint64_t n_referenced; /* of these */
	struct blind_holder *holders; /* if asked for; most alone first */
	uint32_t n_holders;    /* BLIND_HOLDERS_MAX at most... */
	uint32_t n_omitted;    /* ... and this many more */
};

/* @explain: find the holders, too. */
struct kml_error *blind_find(const struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached, bool explain,
			     struct blind *ret) error_must_check;
void blind_deinit(struct blind *blind);

#endif
