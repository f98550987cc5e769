/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds an object, link by link: kmlanalyze path, for all formats. */
#ifndef KML_REPORT_PATH_H
#define KML_REPORT_PATH_H

#include "leak/path.h"
#include "report/holder.h"
#include "report/show.h"

/* "root", "module", "in_doubt", "builtin_rule", "user_rule", "leak", "none":
 * stable. */
extern const char *const path_starts[PATH_STARTS];

struct path_report {
	struct report *report;
	struct path_search search;
	struct paths paths;
	uint64_t *wanted;
	struct stacks *stacks;
};

/* Find the chains to all addresses of the report's options; false: no memory,
 * which sticks to the writer.  Then paths_get(). */
bool path_report_init(struct path_report *p, struct report *report);
void path_report_deinit(struct path_report *p);

/* Why no root leads to object @id, to which a chain of @n_links leads from
 * @start, as a clause; NULL: one does. */
const char *path_why(const struct report *report, uint32_t id,
		     enum path_start start, uint32_t n_links);

#endif
