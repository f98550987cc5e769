// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user's rules and baseline did to the result. */
#include "report/json_common.h"

static void json_rules(struct json *json, const struct rule_list *list)
{
	size_t i;

	json_array(json, "rules");
	for (i = 0; i < list->rules.size; i++) {
		const struct rule *rule = &list->rules.data[i];

		json_object_line(json, NULL);
		json_string(json, "file", rule->file);
		json_number(json, "line", rule->line);
		json_string(json, "rule", rule->text);
		json_number(json, "objects", rule->n_objects);
		json_number(json, "ranges", rule->n_ranges);
		json_number(json, "references", rule->n_references);
		json_end(json);
	}
	json_end(json);
}

static void json_builtins(struct json *json, const struct kernel *kernel)
{
	unsigned i;

	json_object_line(json, "builtin_rules");
	for (i = 0; i < BUILTIN_RULES; i++)
		json_bool(json, kernel_builtins[i].name,
			  kernel->builtin_uses[i]);
	json_end(json);
}

static void json_baseline(struct json *json, const struct baseline *baseline)
{
	if (!baseline->path) {
		json_null(json, "baseline");
		return;
	}
	json_object_line(json, "baseline");
	json_string(json, "file", baseline->path);
	json_bool(json, "same_boot", baseline->same_boot);
	json_number(json, "count", baseline->n_all);
	json_number(json, "found", baseline->n_found);
	json_end(json);
}

void json_user(struct json *json, const struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;

	json_builtins(json, report->kernel);
	json_rules(json, &analysis->user.rules);
	json_baseline(json, &analysis->user.baseline);
	json_object_line(json, "not_reported");
	json_number(json, "objects", analysis->mark.excused);
	json_number(json, "bytes", analysis->mark.excused_bytes);
	json_end(json);
}
