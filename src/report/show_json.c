// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze show as JSON: schema/kmlanalyze.schema.json. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "leak/fingerprint.h"
#include "report/json_common.h"
#include "report/lookup.h"
#include "report/show.h"
#include "report/site.h"
#include "report/source.h"
#include "report/type.h"

static void json_holders(struct json *json, struct report *report,
			 struct show *show)
{
	uint64_t n, i;

	show_find_holders(report, show);
	n = show->n_holders + show->n_leaked_holders;
	json_number(json, "reference_count", n);
	json_number(json, "leaked_reference_count", show->n_leaked_holders);
	json_array(json, "references");
	for (i = 0; i < MIN(n, SHOW_HOLDERS); i++) {
		const struct show_holder *holder = &show->holders[i];
		char text[PLACE_BYTES];
		uint64_t va;
		uint32_t id;

		place_holder(report, holder->source, holder->word, &id, &va,
			     text);
		json_object_line(json, NULL);
		json_string(json, "holder", text);
		if (id == HEAP_NONE)
			json_null(json, "object");
		else
			json_address(json, "object",
				     heap_object_va(report->heap, id));
		if (va)
			json_address(json, "word", va);
		else
			json_null(json, "word");
		json_string(json, "by", source_how[holder->how]);
		json_bool(json, "leaked", i >= show->n_holders);
		json_end(json);
	}
	json_end(json);
}

static void json_verdict(struct json *json, const struct report *report,
			 const struct show *show)
{
	const struct leaks *leaks = &report->analysis->leaks;
	char fingerprint[FINGERPRINT_DIGITS + 1];
	const struct leak *leak;

	json_string(json, "state", show->state);
	json_string(json, "verdict", show_verdicts[show->verdict]);
	json_string(json, "color", show_color(show));
	if (show->verdict != SHOW_ROOT && show->verdict != SHOW_FOLLOWER) {
		json_null(json, "leak");
		return;
	}
	leak = &leaks->leaks[show->leak];
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64,
		 leaks->groups[leak->group].fingerprint);
	json_object_line(json, "leak");
	json_address(json, "address", heap_object_va(report->heap, leak->id));
	json_string(json, "fingerprint", fingerprint);
	json_end(json);
}

static void json_as_c(struct json *json, struct report *report,
		      const struct show *show)
{
	struct kml_error *error = NULL;
	_cleanup_free_ char *text = NULL;
	char type[TYPE_BYTES];

	if (type_format(report, show->id, type) && !strchr(type, '['))
		error = lines_format(report->analysis->lines, type,
				     show->object.va, &text);
	kml_error_destroy(error);
	json_string(json, "as_c", text);
}

static void json_show_object(struct json *json, struct report *report,
			     const struct show *show)
{
	char symbol[SYMBOL_BYTES_MAX];
	uint64_t caller = object_caller(report, &show->object);

	json_object_members(json, report, &show->object);
	json_string(json, "by", source_how[show->how]);
	if (show->has_offset)
		json_number(json, "offset", show->offset);
	else
		json_null(json, "offset");
	if (show->cpu >= 0)
		json_number(json, "cpu", (uint64_t)show->cpu);
	json_verdict(json, report, show);
	type_json(json, report, show->id);
	if (caller)
		object_code_symbol(report, caller, symbol);
	json_string(json, "caller", caller ? symbol : NULL);
	json_object_sites(json, report, show->id);
}

static void json_object_facts(struct json *json, struct report *report,
			      struct show *show, void *arg)
{
	struct content content;
	char hex[2 * CONTENT_SHOWN + 1] = "";
	size_t i;

	(void)arg;
	json_holders(json, report, show);
	if (show_has_content(report, show)) {
		content_read(report, &show->object, CONTENT_SHOWN, &content);
		for (i = 0; i < content.bytes; i++)
			snprintf(hex + 2 * i, 3, "%02x", content.data[i]);
		json_string(json, "content", content.readable ? hex : NULL);
	}
	if (report->options.as_c)
		json_as_c(json, report, show);
}

static void json_show_head(struct json *json, const struct show *show)
{
	json_address(json, "address", show->address);
	json_string(json, "place", show->place[0] ? show->place : NULL);
	if (show->task) {
		json_object_line(json, "stack_of");
		json_string(json, "comm", show->task->comm);
		json_number(json, "pid", show->task->pid);
		json_bool(json, "live", show->address >= show->task->sp);
		json_end(json);
	} else {
		json_null(json, "stack_of");
	}
}

static void json_shown(struct json *json, struct report *report,
		       struct show *show, show_json_fn *facts, void *arg)
{
	json_object(json, NULL);
	json_show_head(json, show);
	if (show->id == HEAP_NONE) {
		json_null(json, "object");
	} else {
		json_object(json, "object");
		json_show_object(json, report, show);
		facts(json, report, show, arg);
		json_end(json);
	}
	json_end(json);
}

void show_json_addresses(struct report *report, const char *name,
			 show_json_fn *facts, void *arg)
{
	struct json json;
	size_t i;

	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, name);
	json_gaps(&json, report);
	json_user(&json, report);
	json_array(&json, "addresses");
	for (i = 0; i < report->options.n_addresses; i++) {
		struct show show;

		show_find_object(report, report->options.addresses[i], &show);
		json_shown(&json, report, &show, facts, arg);
	}
	json_end(&json);
	json_end(&json);
}

void report_show_json(struct report *report)
{
	if (lookup_leaks(report) && lookup_references(report))
		show_json_addresses(report, "show", json_object_facts, NULL);
}
