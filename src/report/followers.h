/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands behind a leak, by family. */
#ifndef KML_REPORT_FOLLOWERS_H
#define KML_REPORT_FOLLOWERS_H

#include "report/object.h"

struct follower_family {
	uint32_t example; /* id of the first of them; type_family() names it */
	uint64_t n, bytes;
};

/* The families of a leak's followers, the most numerous first; at most @max.
 * *@n_ret: how many there are in all. */
size_t followers_fold(struct report *report, const struct leak *leak,
		      struct follower_family *ret, size_t max, size_t *n_ret);

#endif
