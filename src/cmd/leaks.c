// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze [leaks]: what nothing holds. */
#include "cmd/analysis.h"

int cmd_leaks(struct arguments *arguments)
{
	if (arguments->records)
		return analyze_and_report(arguments, kml_inventory,
					  kml_report_kmemleak);
	if (arguments->compare)
		return analyze_and_report(arguments, kml_analyze,
					  kml_report_compare);
	return analyze_and_report(arguments, kml_analyze, kml_report);
}
