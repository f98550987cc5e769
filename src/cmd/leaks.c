// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze [leaks]: what nothing holds; with -o NAME.kml all that is known,
 * as a snapshot. */
#include <string.h>

#include "cmd/analysis.h"
#include "cmd/message.h"
#include "cmd/output.h"

/* --rules=list is about no dump. */
static int list_rules(const struct arguments *arguments)
{
	struct kml_error *error;
	struct output output;

	if (arguments->n_files)
		return usage_error("'--rules=list' takes no dump (a file of that name: ./list)");
	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'--rules=list' has no format 'kmemleak'");
	if (!output_open(&output, arguments->output))
		return EXIT_INPUT;
	error = kml_list_rules(arguments->report.format, output_write, &output);
	return finish_report(&output, error);
}

int cmd_leaks(struct arguments *arguments)
{
	size_t i;

	for (i = 0; i < arguments->options.n_rules; i++) {
		if (!strcmp(arguments->rules[i], "list"))
			return list_rules(arguments);
	}

	if (arguments->save)
		return analyze_and_report(arguments, kml_analyze, kml_save);
	if (arguments->records)
		return analyze_and_report(arguments, kml_inventory,
					  kml_report_kmemleak);
	if (arguments->compare)
		return analyze_and_report(arguments, kml_analyze,
					  kml_report_compare);
	return analyze_and_report(arguments, kml_analyze, kml_report);
}
