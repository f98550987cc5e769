// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze refs ADDR...: everything that refers to an object. */
#include "cmd/address.h"

int cmd_refs(struct arguments *arguments)
{
	return run_with_addresses(arguments, "refs", kml_report_refs);
}
