// SPDX-License-Identifier: GPL-2.0-or-later
/* The public entry points: an analysis of a dump, or of a snapshot of one. */
#include <string.h>

#include "base/util.h"
#include "snapshot/file.h"
#include "snapshot/snapshot.h"

static struct kml_error *analyze(const struct kml_options *options,
				 bool inventory, struct kml_analysis **ret)
{
	size_t i;

	if (options->size < sizeof(size_t) + sizeof(void *) ||
	    !options->n_vmcore)
		return error_new(KML_ERR_ARGUMENT, "no dump was named");
	for (i = 0; i < options->n_vmcore; i++) {
		if (!snapshot_file_is(options->vmcore[i]))
			continue;
		if (options->n_vmcore > 1)
			return error_new(KML_ERR_ARGUMENT,
					 "'%s' is a snapshot: it stands alone",
					 options->vmcore[i]);
		return snapshot_load(options->vmcore[0], options, inventory,
				     ret);
	}
	return analysis_make(options, inventory, ret);
}

struct kml_error *kml_analyze(const struct kml_options *options,
			      struct kml_analysis **ret)
{
	return analyze(options, false, ret);
}

struct kml_error *kml_inventory(const struct kml_options *options,
				struct kml_analysis **ret)
{
	return analyze(options, true, ret);
}
