// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze whatis as JSON: schema/kmlanalyze.schema.json. */
#include "report/json_common.h"
#include "report/source.h"
#include "report/type.h"
#include "report/whatis.h"

static void json_whatis_object(struct json *json, struct report *report,
			       const struct whatis *w)
{
	if (w->show.id == HEAP_NONE) {
		json_null(json, "object");
		return;
	}
	json_object_line(json, "object");
	json_object_members(json, report, &w->show.object);
	json_string(json, "by", source_how[w->show.how]);
	if (w->show.has_offset)
		json_number(json, "offset", w->show.offset);
	else
		json_null(json, "offset");
	json_string(json, "state", w->state);
	type_json(json, report, w->show.id);
	json_end(json);
}

static void json_stack(struct json *json, const struct whatis *w,
		       const char *frame)
{
	const struct kernel_task *task = w->show.task;

	if (!task) {
		json_null(json, "stack_of");
		return;
	}
	json_object_line(json, "stack_of");
	json_string(json, "comm", task->comm);
	json_number(json, "pid", task->pid);
	json_bool(json, "live", w->show.address >= task->sp);
	json_string(json, "frame", frame);
	json_end(json);
}

static void json_whatis(struct json *json, struct report *report,
			struct stacks *stacks, uint64_t address)
{
	char frame_text[SYMBOL_BYTES_MAX], text[WHATIS_BYTES];
	const char *frame = NULL;
	struct whatis w;

	whatis_find(report, address, &w);
	if (whatis_frame(stacks, &w, frame_text))
		frame = frame_text;
	whatis_format(report, &w, frame, text);
	json_object_line(json, NULL);
	json_address(json, "address", address);
	json_string(json, "is", whatis_kinds[w.kind]);
	json_string(json, "text", text);
	json_string(json, "symbol", w.symbol[0] ? w.symbol : NULL);
	json_string(json, "module", w.module);
	json_string(json, "section", w.section);
	if (w.cpu >= 0)
		json_number(json, "cpu", (uint64_t)w.cpu);
	if (w.has_pfn) {
		json_number(json, "page_frame", w.pfn);
		json_string(json, "page",
			    place_classes[report->kernel->page_class[w.pfn]]);
	} else {
		json_null(json, "page_frame");
		json_null(json, "page");
	}
	json_stack(json, &w, frame);
	json_whatis_object(json, report, &w);
	json_end(json);
}

void report_whatis_json(struct report *report)
{
	struct stacks *stacks = stacks_create(report);
	struct json json;
	size_t i;

	if (!stacks)
		return;
	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "whatis");
	json_gaps(&json, report);
	json_array(&json, "addresses");
	for (i = 0; i < report->options.n_addresses; i++)
		json_whatis(&json, report, stacks,
			    report->options.addresses[i]);
	json_end(&json);
	json_end(&json);
	stacks_destroy(stacks);
}
