// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze whatis [ADDR...|-]: what any address is. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/address.h"
#include "cmd/message.h"

static bool is_dash(const struct arguments *arguments)
{
	return arguments->n_files && !strcmp(arguments->files[0], "-");
}

/* Without an address they come from standard input if it is no terminal;
 * there, one has likely been forgotten.  An exit status. */
static int get_addresses(struct arguments *arguments, struct addresses *ret)
{
	bool dash;

	if (!addresses_take(arguments, ret))
		return EXIT_INPUT;
	dash = is_dash(arguments);
	if (dash) {
		arguments->files++;
		arguments->n_files--;
	}
	if ((dash || (!ret->size && !isatty(STDIN_FILENO))) &&
	    !addresses_read(ret))
		return EXIT_INPUT;
	if (!dash && !ret->size && !ret->n_bad)
		return usage_error("'whatis' needs an address, as 0xffff888012345678, in front of the dump, or '-' and addresses from standard input");
	return EXIT_CLEAN;
}

int cmd_whatis(struct arguments *arguments)
{
	struct addresses addresses = { .data = NULL };
	int status;

	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'whatis' has no format 'kmemleak'");
	status = get_addresses(arguments, &addresses);
	if (status == EXIT_CLEAN) {
		arguments->report.addresses = addresses.data;
		arguments->report.n_addresses = addresses.size;
		arguments->no_verdict = true;
		status = analyze_and_report(arguments, kml_analyze,
					    kml_report_whatis);
		if (addresses.n_bad &&
		    (status == EXIT_CLEAN || status == EXIT_PARTIAL))
			status = EXIT_USAGE;
	}
	free(addresses.data);
	return status;
}
