// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze profile: what is needed of a vmlinux, to be carried elsewhere. */
#include "cmd/message.h"

int cmd_profile(struct arguments *arguments)
{
	struct kml_error *error;

	if (arguments->n_files != 1)
		return usage_error("'profile' takes one vmlinux");
	if (!arguments->output)
		return usage_error("'profile' needs '-o FILE'");
	arguments->options.vmlinux = arguments->files[0];
	error = kml_profile(&arguments->options, arguments->output);
	return error ? report_error(error) : EXIT_CLEAN;
}
