/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that read a dump have in common. */
#ifndef KML_CMD_ANALYSIS_H
#define KML_CMD_ANALYSIS_H

#include "cmd/cmd.h"

typedef struct kml_error *analyze_fn(const struct kml_options *options,
				     struct kml_analysis **ret);
typedef struct kml_error *
report_fn(const struct kml_analysis *analysis,
	  const struct kml_report_options *options, kml_write_fn *write,
	  void *arg);

struct output;

/* Close the output of a report that ended with @error, or NULL; an exit
 * status. */
int finish_report(struct output *output, struct kml_error *error);

/* Sort the files into dump and vmlinux, analyze, report; an exit status. */
int analyze_and_report(struct arguments *arguments, analyze_fn *analyze,
		       report_fn *report);

#endif
