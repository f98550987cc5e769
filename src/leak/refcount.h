/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hidden counts: objects that are reachable, and that nobody will ever free as
 * their reference count is higher than the number of those who refer to them.
 *
 * Which references are counted only the kernel's code knows.  So every word
 * that refers to the object itself counts as one that may be, be it of an
 * object, a variable or a stack, leaked or not: an upper bound, but for
 * - links, which point to the list_head (or such) in the object and not to
 *   itself, and are never counted;
 * - members that are known not to be (uncounted[]);
 * and where the kernel counts what no word says, that is added (unsaid).  Only
 * what is above all of that is a suspect.
 */
#ifndef KML_LEAK_REFCOUNT_H
#define KML_LEAK_REFCOUNT_H

#include "leak/infer.h"
#include "leak/page_frag.h"

enum refcount_kind {
	REFCOUNT_DENTRY,
	REFCOUNT_INODE,
	REFCOUNT_FILE,
	REFCOUNT_SK_BUFF,
	REFCOUNT_NET_DEVICE,
	REFCOUNT_TASK,
	REFCOUNT_PAGE, /* of a block of pages; address: of its memory */
	REFCOUNT_OTHER, /* any other struct: refcount_other.h */
	REFCOUNT_KINDS,
};
/* "dentry", "inode", ...: names of the structs; "other". */
extern const char *const refcount_kinds[REFCOUNT_KINDS];

struct refcount_suspect {
	uint32_t id;
	uint8_t kind;        /* enum refcount_kind */
	char type[64];       /* the struct's name */
	char member[64];     /* its count: "ref", "dev.kobj.kref" */
	uint64_t va;         /* of the struct, in the object */
	uint64_t count;
	uint64_t references; /* that may be counted, at most */
	uint64_t links;      /* references to its members; REFCOUNT_OTHER:
				members that are referred to, in ->references
				as well */
	char name[80];       /* "" if it has none */
};

struct refcounts {
	VEC(struct refcount_suspect) suspects; /* by kind, then by id */
	uint64_t checked[REFCOUNT_KINDS];
	/* Of REFCOUNT_OTHER: counts of how many types; and those left out, as
	 * they count something else or are too few to tell. */
	uint64_t types_checked, types_left_out;
	uint64_t unreadable;
	struct page_frags frags; /* blocks of which the count of what the cache
				    has itself is left out */
};

struct kml_error *refcounts_find(struct kernel *kernel,
				 const struct graph *graph, struct infer *infer,
				 const uint64_t *reached,
				 struct refcounts *ret) error_must_check;
void refcounts_deinit(struct refcounts *refcounts);

#endif
