/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live objects that a leaked one refers to: often what tells what it was. */
#ifndef KML_REPORT_HOLDS_H
#define KML_REPORT_HOLDS_H

#include "report/object.h"

struct hold {
	uint64_t offset; /* of the word in the object; of a per-cpu block: in
			    one of its copies */
	struct object object;
};

/* The first @max references to objects that are not leaked themselves. */
size_t holds_find(const struct report *report, const struct object *object,
		  struct hold *ret, size_t max);

#endif
