// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/analysis.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/message.h"
#include "cmd/output.h"
#include "cmd/probe.h"

/*
 * The last of several files is the vmlinux if it looks like one, unless -s
 * has named it; all others are the dump.
 */
static bool sort_files(struct arguments *args)
{
	int n = args->n_files;

	if (n > 0 && looks_like_vmlinux(args->files[n - 1]) &&
	    !args->options.vmlinux)
		args->options.vmlinux = args->files[--n];
	if (!n && args->n_files)
		usage_error("no dump was named: '%s' is a vmlinux",
			    args->options.vmlinux);
	else if (!n)
		usage_error("no dump was named");
	if (!n)
		return false;
	args->options.vmcore = (const char *const *)args->files;
	args->options.n_vmcore = (size_t)n;
	return true;
}

/* A snapshot stands alone, and is not scanned. */
static bool check_snapshot(const struct arguments *args)
{
	const char *path = args->files[0];

	if (!looks_like_snapshot(path))
		return true;
	if (args->scan_option)
		usage_error("'%s' is a snapshot: for '--%s' scan the dump again",
			    path, args->scan_option);
	else if (args->n_files > 1)
		usage_error("'%s' is a snapshot: it takes no other file", path);
	else if (args->save)
		usage_error("'%s' is a snapshot already: copy it", path);
	else if (args->report.content)
		usage_error("'%s' is a snapshot, which has the contents of leaked objects alone: for '--content' ask the dump",
			    path);
	else
		return true;
	return false;
}

/* What is asked is not of types. */
static bool needs_no_types(const struct arguments *args)
{
	return args->options.no_types || args->compare ||
	       args->report.format == KML_FORMAT_KMEMLEAK;
}

int finish_report(struct output *output, struct kml_error *error)
{
	if (!error)
		return output_commit(output) ? EXIT_CLEAN : EXIT_INPUT;
	output_abandon(output);
	if (!output->errnum)
		return report_error(error);
	print_error("cannot write '%s': %s", output->name,
		    strerror(output->errnum));
	kml_error_destroy(error);
	return EXIT_INPUT;
}

/* Write the report and close the output. */
static int write_report(const struct arguments *args, struct output *output,
			const struct kml_analysis *analysis, report_fn *report)
{
	struct kml_error *error;

	error = report(analysis, &args->report, output_write, output);
	messages_end();
	return finish_report(output, error);
}

/* Of the addresses that were asked for, or of all. */
static bool is_leak_shown(const struct arguments *args,
			  const struct kml_analysis *analysis)
{
	bool any = false;
	size_t i;

	if (args->no_verdict)
		return false;
	if (args->records)
		return kml_kmemleak_reported(analysis);
	if (!args->report.n_addresses)
		return kml_leaks(analysis);
	for (i = 0; i < args->report.n_addresses; i++)
		any |= kml_is_leaked(analysis, args->report.addresses[i]);
	return any;
}

int analyze_and_report(struct arguments *args, analyze_fn *analyze,
		       report_fn *report)
{
	struct kml_analysis *analysis;
	struct kml_error *error;
	struct output output;
	int status;

	/* The output first: that it can't be written is best known early. */
	if (!sort_files(args) || !check_snapshot(args))
		return EXIT_USAGE;
	if (!output_open(&output, args->output))
		return EXIT_INPUT;
	args->options.rules = args->rules;
	args->options.types = args->types;
	args->options.modules = args->modules;
	if (!looks_like_snapshot(args->files[0]))
		args->options.no_types = needs_no_types(args);
	messages_start(args);
	error = analyze(&args->options, &analysis);
	messages_end();
	if (error) {
		output_abandon(&output);
		return report_error(error);
	}
	status = write_report(args, &output, analysis, report);
	if (status == EXIT_CLEAN && args->save && !args->quiet)
		print_note("'%s' is written: %" PRIu64 " leaked objects",
			   args->output, kml_leaks(analysis));
	/* What is live is no leak, whatever else there is. */
	if (status == EXIT_CLEAN && report != kml_report_top &&
	    is_leak_shown(args, analysis))
		status = EXIT_LEAKS;
	if (status <= EXIT_LEAKS && kml_partial(analysis))
		status = EXIT_PARTIAL;
	kml_analysis_destroy(analysis);
	return status;
}
