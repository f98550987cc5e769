/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of an object but for its contents. */
#ifndef KML_REPORT_OBJECT_H
#define KML_REPORT_OBJECT_H

#include "kernel/track.h"
#include "report/report.h"

struct object {
	uint32_t id;
	uint64_t va, bytes;
	uint8_t kind; /* enum heap_kind */
	const struct heap_region *region;
	const char *cache; /* name of its slab cache, else NULL */
	const struct kernel_area *area; /* of vmalloc, vmap, ioremap, else NULL */
};

struct object object_of(const struct report *report, uint32_t id);

#define object_kinds heap_kind_names

/* "live", "leaked", "waiting", "free", "cached", "quarantined", "torn",
 * "unreadable": stable. */
extern const char *const object_states[OBJECT_STATES];

/* Its family: "kmalloc-64", "page block", "vmalloc area", "per-cpu block". */
const char *object_family(const struct object *object);
/* The same of all objects of a kind other than slab. */
const char *object_kind_family(unsigned kind);

#define OBJECT_DETAIL_BYTES 128
/* What there is to say beyond that: "order 2, compound"; "" if nothing. */
void object_detail(const struct report *report, const struct object *object,
		   char ret[OBJECT_DETAIL_BYTES]);

/* Who mapped or allocated it, as far as that is recorded; 0 if unknown. */
uint64_t object_caller(const struct report *report,
		       const struct object *object);

/* What SLUB's user tracking has of it; false: nothing.  Read from the image. */
bool object_track(const struct report *report, const struct object *object,
		  struct kernel_track *ret);

/* How many objects are in the cycle of a leak, 1 if it is in none.  An area and
 * its vm_struct count as one: they always refer to each other. */
uint32_t object_cycle(const struct object *object, const struct leak *leak);

#define SYMBOL_BYTES_MAX 256
/* "name+0x12/0x40 [module]" as the kernel's %pS prints it; the bare address,
 * and false, if there is no symbol. */
bool object_symbol(struct report *report, uint64_t va,
		   char ret[SYMBOL_BYTES_MAX]);
/* The same of an address that was code when it was recorded: without a symbol
 * where data are now. */
bool object_code_symbol(struct report *report, uint64_t va,
			char ret[SYMBOL_BYTES_MAX]);

/*
 * The source lines of an address, innermost first; 0 if they are unknown or
 * not wanted.
 */
size_t object_lines(struct report *report, uint64_t va, bool return_address,
		    const struct lines_frame **ret);

/* A frame as "function at file:line", with what is unknown left out. */
void frame_format(const struct lines_frame *frame, char *ret, size_t bytes);

#endif
