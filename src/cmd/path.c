// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze path ADDR...: how a root leads to an object. */
#include "cmd/address.h"

int cmd_path(struct arguments *arguments)
{
	return run_with_addresses(arguments, "path", kml_report_path);
}
