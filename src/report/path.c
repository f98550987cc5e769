// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/path.h"

#include <stdlib.h>
#include <string.h>

#include "report/lookup.h"

const char *const path_starts[PATH_STARTS] = {
	[PATH_NONE] = "none",	     [PATH_ROOT] = "root",
	[PATH_MODULE] = "module",    [PATH_DOUBT] = "in_doubt",
	[PATH_BUILTIN] = "builtin_rule", [PATH_USER] = "user_rule",
	[PATH_LEAK] = "leak",
};

const char *path_why(const struct report *report, uint32_t id,
		     enum path_start start, uint32_t n_links)
{
	switch (start) {
	case PATH_NONE:
		return bitmap_test(report->heap->waiting, id) ?
			       "it is free to the allocator, and waits for RCU: nothing need hold it" :
			       "it is free: nothing holds it";
	case PATH_ROOT:
		return NULL;
	case PATH_MODULE:
		return n_links ? NULL :
				 "memory of a module is in use by definition";
	case PATH_DOUBT:
		return n_links ? "no root leads to it, but what may be allocated or free, in doubt" :
				 "no root leads to it; it may be allocated or free, in doubt";
	case PATH_BUILTIN:
		return n_links ? "no root leads to it, but what a built-in rule says is no leak" :
				 "no root leads to it; a built-in rule says that it is no leak";
	case PATH_USER:
		return n_links ? "no root leads to it, but what a rule, the baseline or its age excuses" :
				 "no root leads to it; a rule, the baseline or its age excuses it";
	default:
		return n_links ? "no root leads to it: it is leaked, behind the leak that the chain begins with" :
				 "no root leads to it: it is where a leak starts";
	}
}

/* What is free has no chain, and need not be waited for. */
static void want(struct path_report *p)
{
	struct report *report = p->report;
	enum heap_reference how;
	size_t i;

	for (i = 0; i < report->options.n_addresses; i++) {
		uint32_t id = heap_resolve(report->heap,
					   report->options.addresses[i], &how);

		if (id != HEAP_NONE &&
		    (bitmap_test(report->analysis->reached, id) ||
		     heap_is_allocated(report->heap, id)))
			bitmap_set(p->wanted, id);
	}
}

bool path_report_init(struct path_report *p, struct report *report)
{
	struct kml_analysis *a = report->analysis;
	struct kml_error *error = NULL;

	memset(p, 0, sizeof(*p));
	p->report = report;
	if (!lookup_leaks(report))
		return false;
	p->wanted = bitmap_alloc(a->graph.n_objects);
	p->search = (struct path_search){
		.kernel = &a->kernel,
		.graph = &a->graph,
		.reached = a->reached,
		.overrides = a->rules.overrides,
		.leaks = &a->leaks,
		.index = &report->lookup->leaks,
		.infer = a->inferred ? &a->infer : NULL,
		.wanted = p->wanted,
	};
	if (p->wanted) {
		want(p);
		error = paths_find(&p->search, &p->paths);
	} else {
		error = error_nomem();
	}
	writer_fail(&report->writer, error);
	if (!error)
		p->stacks = stacks_create(report);
	if (p->stacks)
		return true;
	path_report_deinit(p);
	return false;
}

void path_report_deinit(struct path_report *p)
{
	stacks_destroy(p->stacks);
	paths_deinit(&p->paths);
	free(p->wanted);
}
