// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze path as JSON: schema/kmlanalyze.schema.json. */
#include <stdlib.h>

#include "report/json_common.h"
#include "report/lookup.h"
#include "report/path.h"
#include "report/source.h"

static void json_link_frame(struct json *json, struct path_report *p,
			    const struct holder *holder)
{
	const struct stack_slot slot = holder_frame(p->stacks, holder);
	char symbol[SYMBOL_BYTES_MAX];

	json_object_line(json, "frame");
	if (slot.frame)
		object_code_symbol(p->report, slot.frame->pc, symbol);
	json_string(json, "symbol", slot.frame ? symbol : NULL);
	json_frames(json, "lines", slot.frame ? slot.frame->frames : NULL,
		    slot.frame ? slot.frame->n_frames : 0);
	json_string(json, "why_not", slot.why_not);
	json_end(json);
}

static void json_link(struct json *json, struct path_report *p,
		      const struct path_link *link)
{
	struct holder holder;

	holder_of(p->report, link->source, link->where & ((1u << 29) - 1),
		  &holder);
	json_object_line(json, NULL);
	json_holder(json, p->report, &holder);
	json_string(json, "by", source_how[link->where >> 29]);
	if (holder.task)
		json_link_frame(json, p, &holder);
	json_end(json);
}

static void json_path(struct json *json, struct report *report,
		      struct show *show, void *arg)
{
	struct path_report *p = arg;
	enum path_start start;
	struct path_link *links;
	uint32_t n, i;
	struct kml_error *error;

	error = paths_get(&p->search, &p->paths, show->id, &start, &links, &n);
	if (error) {
		writer_fail(&report->writer, error);
		return;
	}
	json_string(json, "start", path_starts[start]);
	json_string(json, "why", path_why(report, show->id, start, n));
	json_array(json, "links");
	for (i = 0; i < n; i++)
		json_link(json, p, &links[i]);
	json_end(json);
	free(links);
}

void report_path_json(struct report *report)
{
	struct path_report p;

	if (!path_report_init(&p, report))
		return;
	show_json_addresses(report, "path", json_path, &p);
	path_report_deinit(&p);
}
