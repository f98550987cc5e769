// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/refcounts.h"

#include <inttypes.h>

#include "base/util.h"
#include "report/number.h"

void text_refcounts(struct report *report)
{
	const struct refcounts *r = &report->analysis->refcounts;
	uint64_t limit = report->options.limit;
	struct writer *w = &report->writer;
	size_t n = r->suspects.size, i;

	if (!n)
		return;
	writer_printf(w, "\n%s: reachable, and counted more references than refer to it\n",
		      COUNT_OF(n, "refcount suspect"));
	for (i = 0; i < n && (!limit || i < limit * REFCOUNT_KINDS); i++) {
		const struct refcount_suspect *s = &r->suspects.data[i];

		writer_printf(w, "    struct %s 0x%016" PRIx64 "%s%s%s: count %s, at most %s found\n",
			      s->type, s->va, s->name[0] ? " \"" : "", s->name,
			      s->name[0] ? "\"" : "", COUNT(s->count),
			      COUNT_OF(s->references, "reference"));
	}
	if (i < n)
		writer_printf(w, "    ... and %s more\n", COUNT(n - i));
}

void json_refcounts(struct json *json, struct report *report)
{
	const struct refcounts *r = &report->analysis->refcounts;
	size_t i;

	json_object(json, "refcounts");
	json_object_line(json, "checked");
	for (i = 0; i < REFCOUNT_KINDS; i++)
		json_number(json, refcount_kinds[i], r->checked[i]);
	json_end(json);
	json_number(json, "other_types", r->types_checked);
	json_number(json, "types_left_out", r->types_left_out);
	json_array(json, "suspects");
	for (i = 0; i < r->suspects.size; i++) {
		const struct refcount_suspect *s = &r->suspects.data[i];

		json_object_line(json, NULL);
		json_address(json, "address", s->va);
		json_string(json, "type", s->type);
		json_string(json, "member", s->member);
		json_string(json, "name", s->name[0] ? s->name : NULL);
		json_number(json, "count", s->count);
		json_number(json, "references", s->references);
		json_number(json, "links", s->links);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}
