// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user's rules and baseline did to the result. */
#include "report/report.h"

#include <inttypes.h>

#include "graph/rule_match.h"
#include "report/number.h"

static void print_rules(struct report *report)
{
	const struct rule_list *list = &report->analysis->user.rules;
	uint64_t references = 0;
	size_t i, matched = 0;

	for (i = 0; i < list->rules.size; i++) {
		matched += rule_matched(&list->rules.data[i]);
		references += list->rules.data[i].n_references;
	}
	if (list->rules.size)
		writer_printf(&report->writer,
			      "rules: %s of %s found something; %s taken out (-v lists them)\n",
			      COUNT(matched), COUNT_OF(list->rules.size, "rule"),
			      COUNT_OF(references, "reference"));
}

static void print_baseline(struct report *report)
{
	const struct baseline *baseline = &report->analysis->user.baseline;

	if (!baseline->path)
		return;
	writer_printf(&report->writer, "baseline: %s, ", baseline->path);
	if (baseline->same_boot)
		writer_printf(&report->writer,
			      "of the same boot: %s of its %s still there\n",
			      COUNT(baseline->n_found),
			      COUNT_OF(baseline->n_all, "object"));
	else
		writer_printf(&report->writer,
			      "of another boot: %s of %s here look like those in it\n",
			      COUNT(baseline->n_found),
			      COUNT_OF(baseline->n_all, "leak"));
}

void text_user(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;

	if (!analysis->user.active)
		return;
	print_rules(report);
	print_baseline(report);
	if (analysis->user.min_age_ms)
		writer_printf(&report->writer,
			      "younger than %" PRIu64 " s: %s; age not known: %s\n",
			      analysis->user.min_age_ms / 1000,
			      COUNT_OF(analysis->user.n_young, "leaked object"),
			      COUNT(analysis->user.n_ageless));
	writer_printf(&report->writer, "not reported because of that: %s, %s\n",
		      COUNT_OF(analysis->mark.excused, "object"),
		      BYTES(analysis->mark.excused_bytes));
}

void text_rules(struct report *report)
{
	const struct rule_list *list = &report->analysis->user.rules;
	struct writer *w = &report->writer;
	size_t i;

	if (!list->rules.size)
		return;
	writer_puts(w, "\nrules\n");
	for (i = 0; i < list->rules.size; i++) {
		const struct rule *rule = &list->rules.data[i];

		writer_printf(w, "  %s:%u: %s\n    ", rule->file, rule->line,
			      rule->text);
		if (!rule_matched(rule)) {
			writer_puts(w, "matches nothing\n");
			continue;
		}
		if (rule->n_objects)
			writer_printf(w, "selects %s",
				      COUNT_OF(rule->n_objects, "object"));
		else
			writer_printf(w, "selects %s",
				      COUNT_OF(rule->n_ranges, "range"));
		writer_printf(w, ", takes out %s\n",
			      COUNT_OF(rule->n_references, "reference"));
	}
}
