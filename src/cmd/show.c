// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze show ADDR...: what lies there and who holds it. */
#include "cmd/address.h"

int cmd_show(struct arguments *arguments)
{
	return run_with_addresses(arguments, "show", kml_report_show);
}
