/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands at an address, or at a word of the graph, in words. */
#ifndef KML_REPORT_PLACE_H
#define KML_REPORT_PLACE_H

#include "report/object.h"

#define PLACE_BYTES 320

/* What an address is that lies in no object: a variable, a free page, nothing
 * of the kernel's... */
void place_format(struct report *report, uint64_t va, char ret[PLACE_BYTES]);

/* "name+0x10" of a static per-cpu variable and its CPU; false if it is none. */
bool place_percpu(struct report *report, uint64_t va, char ret[PLACE_BYTES]);

/* The task on whose stack the address lies, or NULL. */
const struct kernel_task *place_stack(const struct report *report, uint64_t va);

#define PLACE_MEMBER_BYTES 128
/* " (se.run_node.rb_left)", the member that an offset of an object is in, or ""
 * where its type is not known; returns @ret. */
const char *place_member(const struct report *report,
			 const struct object *object, uint64_t offset,
			 char ret[PLACE_MEMBER_BYTES]);

/* Who holds: a source of the graph and its word.  *@id_ret: the object that it
 * is, else HEAP_NONE; *@va_ret: where the word is, 0 if it is in no memory. */
void place_holder(struct report *report, uint32_t source, uint32_t word,
		  uint32_t *id_ret, uint64_t *va_ret, char ret[PLACE_BYTES]);

#endif
