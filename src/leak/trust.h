/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the verdict on a leak can be trusted. */
#ifndef KML_LEAK_TRUST_H
#define KML_LEAK_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/graph.h"

/* What a verdict rests on; none of these: on every word that was scanned. */
enum trust_reason {
	TRUST_DISREGARDED = 1 << 0, /* a word that equals its address was taken
				       for something else */
	TRUST_GUESSED = 1 << 1,     /* where the block starts and ends is
				       inferred */
	TRUST_PARTIAL = 1 << 2,     /* what might hold it could not be read */
};

enum trust { TRUST_HIGH, TRUST_MEDIUM, TRUST_LOW };

unsigned trust_reasons(const struct kernel *kernel, const struct graph *graph,
		       const uint64_t *reached, uint32_t id);
enum trust trust_of(unsigned reasons);

/* Does somebody who is live have this word? */
bool trust_is_live(const struct kernel *kernel, const struct graph *graph,
		   const uint64_t *reached,
		   const struct graph_disregarded *word);

#endif
