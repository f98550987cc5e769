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

/* "name+0x10" of the static per-cpu variable that a per-cpu pointer is of;
 * false if it is of none. */
bool place_percpu_pointer(struct report *report, uint64_t pointer,
			  char ret[SYMBOL_BYTES_MAX]);

/* What of a module lies at an address: "name+0x10 [module]", or, where it has
 * no name, "data of [module] +0x10"; false if it is no module's.  The same of
 * the copies of its per-cpu variables, by their per-cpu pointer. */
bool place_module(struct report *report, uint64_t va,
		  char ret[SYMBOL_BYTES_MAX]);
bool place_module_percpu(struct report *report, const struct object *object,
			 uint64_t offset, char ret[SYMBOL_BYTES_MAX]);

/* " behind dentry_hashtable, +0x1c8": in memory that a variable points to the
 * start of (kernel/behind.h), or ""; returns @ret. */
#define PLACE_BEHIND_BYTES 176
const char *place_behind(struct report *report, uint64_t va,
			 char ret[PLACE_BEHIND_BYTES]);

/* The same of a page block or vmalloc area: ", behind nf_conntrack_hash
 * [nf_conntrack]". */
const char *place_behind_object(struct report *report,
				const struct object *object,
				char ret[PLACE_BEHIND_BYTES]);

/* Of a block of pages that is being cut into fragments (leak/page_frag.h):
 * ", being cut into fragments for per-cpu variable napi_alloc_cache+0x0 of CPU
 * 1 (page_frag_cache)", or ""; returns @ret. */
#define PLACE_FRAG_BYTES 256
const char *place_frag(struct report *report, const struct object *object,
		       char ret[PLACE_FRAG_BYTES]);

/* What a page frame is used for, by enum page_class: "a page table". */
extern const char *const place_pages[PAGE_CLASSES];
/* "page table": stable, for JSON. */
extern const char *const place_classes[PAGE_CLASSES];

/* The task on whose stack the address lies, or NULL. */
const struct kernel_task *place_stack(const struct report *report, uint64_t va);

#define PLACE_MEMBER_BYTES 128
/* The type of an object, NULL if it is not known, and its member at @offset, ""
 * if there is none; @ret may be NULL. */
const char *place_type(const struct report *report,
		       const struct object *object, uint64_t offset,
		       char ret[PLACE_MEMBER_BYTES]);
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
