// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze refs as JSON: schema/kmlanalyze.schema.json. */
#include "report/holder.h"
#include "report/json_common.h"
#include "report/lookup.h"
#include "report/show.h"
#include "report/source.h"

static void json_references(struct json *json, struct report *report,
			    uint32_t id)
{
	const struct graph_reverse *reverse = &report->lookup->references;
	struct show_cursor cursor = { 0 };
	const struct graph_reference *r;
	struct holder holder;
	uint64_t i;

	json_number(json, "reference_count",
		    reverse->first[id + 1] - reverse->first[id]);
	json_array(json, "references");
	for (i = 0; report_lists(report, i) &&
		    show_next_reference(report, id, &cursor, &r);
	     i++) {
		holder_of(report, r->from, graph_reference_word(r), &holder);
		json_object_line(json, NULL);
		json_holder(json, report, &holder);
		json_string(json, "by", source_how[graph_reference_how(r)]);
		json_end(json);
	}
	json_end(json);
}

static void json_disregarded(struct json *json, struct report *report,
			     uint32_t id)
{
	const struct graph_disregarded *words;
	struct holder holder;
	size_t n, i;

	words = graph_find_disregarded(&report->analysis->graph, id, &n);
	json_number(json, "disregarded_count", n);
	json_array(json, "disregarded");
	for (i = 0; i < n && report_lists(report, i); i++) {
		holder_of(report, words[i].from, words[i].word, &holder);
		json_object_line(json, NULL);
		json_holder(json, report, &holder);
		json_string(json, "because", source_disregards[words[i].why]);
		json_end(json);
	}
	json_end(json);
}

static void json_refs(struct json *json, struct report *report,
		      struct show *show, void *arg)
{
	(void)arg;
	json_references(json, report, show->id);
	json_disregarded(json, report, show->id);
}

void report_refs_json(struct report *report)
{
	if (lookup_leaks(report) && lookup_references(report))
		show_json_addresses(report, "refs", json_refs, NULL);
}
