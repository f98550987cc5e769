// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze show ADDR...: what lies there and who holds it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/analysis.h"
#include "cmd/message.h"

/* 0x and digits, or the 16 digits that crash and the kernel print. */
static bool parse_address(const char *text, uint64_t *ret)
{
	bool prefixed = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = prefixed ? text + 2 : text;

	if (!digits[0] || digits[strspn(digits, "0123456789abcdefABCDEF")] ||
	    strlen(digits) > 16 || (!prefixed && strlen(digits) != 16))
		return false;
	*ret = strtoull(digits, NULL, 16);
	return true;
}

int cmd_show(struct arguments *arguments)
{
	uint64_t *addresses;
	size_t n = 0;
	int status;

	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'show' has no format 'kmemleak'");
	addresses = calloc((size_t)arguments->n_files + 1, sizeof(*addresses));
	if (!addresses) {
		print_error("out of memory");
		return EXIT_INPUT;
	}
	while (arguments->n_files &&
	       parse_address(arguments->files[0], &addresses[n])) {
		arguments->files++;
		arguments->n_files--;
		n++;
	}
	arguments->report.addresses = addresses;
	arguments->report.n_addresses = n;
	if (n)
		status = analyze_and_report(arguments, kml_analyze,
					    kml_report_show);
	else
		status = usage_error("'show' needs an address, as 0xffff888012345678, in front of the dump");
	free(addresses);
	return status;
}
