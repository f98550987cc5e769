// SPDX-License-Identifier: GPL-2.0-or-later
/* The public entry point for a profile alone: no dump is there. */
#include "debuginfo/profile.h"

struct kml_error *kml_profile(const struct kml_options *options,
			      const char *path)
{
	const struct profile_options profile_options = {
		.path = options->vmlinux,
		.cache_dir = options->cache_dir,
		.force = options->force,
	};
	struct profile *profile;
	struct kml_error *error;

	if (!options->vmlinux)
		return error_new(KML_ERR_ARGUMENT, "no vmlinux was named");
	error = profile_open(&profile_options, &profile);
	if (error)
		return error;
	error = profile_write(profile, path);
	profile_close(profile);
	return error;
}
