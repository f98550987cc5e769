// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze top: who has most of what is live. */
#include "cmd/analysis.h"
#include "cmd/message.h"

int cmd_top(struct arguments *arguments)
{
	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'top' has no format 'kmemleak'");
	return analyze_and_report(arguments, kml_analyze, kml_report_top);
}
