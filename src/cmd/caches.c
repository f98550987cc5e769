// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze caches: what was allocated. */
#include "cmd/analysis.h"
#include "cmd/message.h"

int cmd_caches(struct arguments *arguments)
{
	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'caches' has no format 'kmemleak'");
	return analyze_and_report(arguments, kml_inventory, kml_report_caches);
}
