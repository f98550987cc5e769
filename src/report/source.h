/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the graph, as a class and with how far they count. */
#ifndef KML_REPORT_SOURCE_H
#define KML_REPORT_SOURCE_H

#include "report/place.h"

/* What a stale word's holder has in common with others: "+0xf8 of kmalloc-512
 * objects", "page blocks", "stack of kworker/0:1, pid 9". */
void source_format(struct report *report, const struct blind_holder *holder,
		   char ret[PLACE_BYTES]);

/* How a word refers to an object, by enum heap_reference: "address", "struct
 * page", "per-cpu pointer", "physical address"; for JSON, too. */
extern const char *const source_how[];

/* Why a word was disregarded, by enum graph_disregard. */
extern const char *const source_disregards[GRAPH_DISREGARDS];

/*
 * The disregarded words of live memory that equal an address of object @id, at
 * most @max of them; returns their number.
 */
size_t source_disregarded(const struct report *report, uint32_t id,
			  const struct graph_disregarded **ret, size_t max);

#endif
