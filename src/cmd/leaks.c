// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze [leaks]: what nothing holds. */
#include "cmd/analysis.h"

int cmd_leaks(struct arguments *arguments)
{
	return analyze_and_report(arguments, kml_analyze, kml_report);
}
