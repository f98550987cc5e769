/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What infer_list.c, which walks lists, and infer_list_type.c share. */
#ifndef KML_LEAK_INFER_LIST_H
#define KML_LEAK_INFER_LIST_H

#include "leak/infer_object.h"

#define NO_MODULE UINT32_MAX
#define MAX_LINKS 8u

/* All lists that begin at the same member of a type, or in one variable. */
struct list {
	uint32_t head_type, head_at; /* type and offset; of a variable: 0, and
					its number */
	uint32_t link, at; /* the type of the link, and where in the elements */
	uint32_t example;  /* an element: its cache or size is all others' */
	uint32_t module;
	uint32_t from, where; /* the head, for the reason */
};

struct element {
	uint32_t list, id;
};

struct lists {
	struct inference *i;
	uint32_t links[MAX_LINKS], heads[MAX_LINKS];
	size_t n_links, n_heads;
	VEC(struct list) lists;
	VEC(struct element) elements; /* grows while it is walked */
	uint64_t *seen;               /* a bit by object */
};

/* infer_list_type.c: give the elements that have no type one, if there is one. */
struct kml_error *infer_list_types(struct lists *lists) error_must_check;

#endif
