/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of refcount.h share. */
#ifndef KML_LEAK_REFCOUNT_OBJECT_H
#define KML_LEAK_REFCOUNT_OBJECT_H

#include "base/util.h"
#include "leak/refcount.h"

/* A count that no block of pages has: the memory is not what it seems. */
#define MAX_PAGE_COUNT 64u
/* Members that do not count. */
#define MAX_UNCOUNTED 16

struct refcount_layout {
	uint32_t type;   /* 0: this kernel has it not, or differently */
	const char *member;
	uint64_t offset; /* of the count */
	unsigned bytes;
	unsigned bias;
	bool percpu;
};

/* A member that does not count. */
struct refcount_member {
	uint32_t type;
	uint64_t offset;
	uint8_t kind;
};

struct refcount_object {
	uint32_t id;
	uint8_t kind;
	uint32_t offset; /* of the struct in the object */
	uint64_t count, references, links;
	uint64_t cache_va; /* of the word of a page_frag_cache, whose references
			      are not in the count; 0: of none */
};

struct refcount_finder {
	struct kernel *kernel;
	const struct graph *graph;
	struct infer *infer;
	const uint64_t *reached;
	struct refcount_layout layouts[REFCOUNT_KINDS];
	struct refcount_member members[MAX_UNCOUNTED];
	size_t n_members;
	uint8_t *type_kind;    /* by type: enum refcount_kind plus one; 0: none */
	uint32_t *type_offset; /* by type: of that in it */
	VEC(struct refcount_object) objects; /* by id */
	uint32_t *index;       /* by id: into objects; HEAP_NONE: none */
	struct refcounts out;
};

/* refcount_reference.c: count those who refer to f->objects. */
void refcount_count_references(struct refcount_finder *f);

/* refcount_name.c: what the struct at @va is called; "" if it has no name. */
void refcount_name_of(struct refcount_finder *f, enum refcount_kind kind,
		      uint64_t va, char *ret, size_t bytes);

#endif
