// SPDX-License-Identifier: GPL-2.0-or-later
/* The public entry points of the reports. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "report/lookup.h"

typedef void report_fn(struct report *report);

static struct kml_error *
run(const struct kml_analysis *analysis,
    const struct kml_report_options *options, report_fn *const *formats,
    kml_write_fn *write, void *arg)
{
	struct report *report;
	struct kml_error *error;

	if (options->size < sizeof(size_t) + sizeof(enum kml_format))
		return error_new(KML_ERR_ARGUMENT,
				 "the report's options are incomplete");
	if (options->format > KML_FORMAT_JSON || !formats[options->format])
		return error_new(KML_ERR_ARGUMENT,
				 "there is no such format of this report");
	report = calloc(1, sizeof(*report));
	if (!report)
		return error_nomem();
	report->lookup = lookup_create(&analysis->kernel);
	if (!report->lookup) {
		free(report);
		return error_nomem();
	}
	report->analysis = (struct kml_analysis *)analysis;
	report->kernel = &report->analysis->kernel;
	report->heap = &report->analysis->heap;
	/* A caller built against an older header passes a smaller struct. */
	memcpy(&report->options, options,
	       MIN(options->size, sizeof(report->options)));
	writer_init(&report->writer, write, arg);
	formats[options->format](report);
	error = writer_finish(&report->writer);
	lookup_destroy(report->lookup, report->kernel);
	free(report);
	return error;
}

/* A snapshot may have been saved without what is asked for. */
static struct kml_error *
check_loaded(const struct kml_analysis *analysis,
	     const struct kml_report_options *options, bool content, bool lines)
{
	const struct loaded *loaded = &analysis->loaded;

	if (content && loaded->no_content && !options->no_content)
		return error_new(KML_ERR_NODATA,
				 "the snapshot was saved without the contents of memory: say --no-content, or ask the dump");
	if (lines && loaded->no_lines && !analysis->options.no_lines)
		return error_new(KML_ERR_NODATA,
				 "the snapshot was saved without source lines: say --no-lines, or ask the dump");
	return NULL;
}

struct kml_error *kml_report(const struct kml_analysis *analysis,
			     const struct kml_report_options *options,
			     kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_text,
		[KML_FORMAT_KMEMLEAK] = report_kmemleak,
		[KML_FORMAT_JSON] = report_json,
	};
	struct kml_error *error;

	if (!analysis->reached)
		return error_new(KML_ERR_ARGUMENT,
				 "leaks were not looked for: this is an inventory");
	error = check_loaded(analysis, options, true,
			     options->format != KML_FORMAT_KMEMLEAK);
	return error ? error : run(analysis, options, formats, write, arg);
}

static bool wants_all_content(const struct kml_report_options *options)
{
	struct kml_report_options all = { 0 };

	memcpy(&all, options, MIN(options->size, sizeof(all)));
	return all.content;
}

struct kml_error *kml_report_show(const struct kml_analysis *analysis,
				  const struct kml_report_options *options,
				  kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_show_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_show_json,
	};
	struct kml_error *error;

	if (!analysis->reached)
		return error_new(KML_ERR_ARGUMENT,
				 "leaks were not looked for: this is an inventory");
	if (analysis->loaded.is_loaded && wants_all_content(options))
		return error_new(KML_ERR_ARGUMENT,
				 "a snapshot has the contents of leaked objects alone: for --content ask the dump");
	error = check_loaded(analysis, options, true, false);
	return error ? error : run(analysis, options, formats, write, arg);
}

/* Reports of what the graph and the verdicts say. */
static struct kml_error *
run_analyzed(const struct kml_analysis *analysis,
	     const struct kml_report_options *options,
	     report_fn *const *formats, bool lines, kml_write_fn *write,
	     void *arg)
{
	struct kml_error *error;

	if (!analysis->reached)
		return error_new(KML_ERR_ARGUMENT,
				 "leaks were not looked for: this is an inventory");
	error = check_loaded(analysis, options, false, lines);
	return error ? error : run(analysis, options, formats, write, arg);
}

struct kml_error *kml_report_refs(const struct kml_analysis *analysis,
				  const struct kml_report_options *options,
				  kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_refs_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_refs_json,
	};

	return run_analyzed(analysis, options, formats, false, write,
			    arg);
}

struct kml_error *kml_report_path(const struct kml_analysis *analysis,
				  const struct kml_report_options *options,
				  kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_path_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_path_json,
	};

	return run_analyzed(analysis, options, formats, true, write, arg);
}

struct kml_error *kml_report_whatis(const struct kml_analysis *analysis,
				    const struct kml_report_options *options,
				    kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_whatis_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_whatis_json,
	};
	struct kml_error *error;

	error = check_loaded(analysis, options, false, true);
	return error ? error : run(analysis, options, formats, write, arg);
}

struct kml_error *kml_report_top(const struct kml_analysis *analysis,
				 const struct kml_report_options *options,
				 kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_top_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_top_json,
	};
	struct kml_error *error;

	if (!analysis->reached)
		return error_new(KML_ERR_ARGUMENT,
				 "what is live was not looked for: this is an inventory");
	error = analysis_find_holdings((struct kml_analysis *)analysis);
	return error ? error : run(analysis, options, formats, write, arg);
}

struct kml_error *kml_report_kmemleak(const struct kml_analysis *analysis,
				      const struct kml_report_options *options,
				      kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_records_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_records_json,
	};
	struct kml_error *error;

	if (!analysis->options.kmemleak)
		return error_new(KML_ERR_ARGUMENT,
				 "the analysis was not told to read kmemleak's records");
	error = check_loaded(analysis, options,
			     options->kmemleak == KML_KMEMLEAK_SHOW &&
				     options->format == KML_FORMAT_TEXT,
			     false);
	return error ? error : run(analysis, options, formats, write, arg);
}

struct kml_error *kml_report_compare(const struct kml_analysis *analysis,
				     const struct kml_report_options *options,
				     kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_compare_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_compare_json,
	};

	if (!analysis->options.kmemleak || !analysis->reached)
		return error_new(KML_ERR_ARGUMENT,
				 "there are no two verdicts to compare");
	return run(analysis, options, formats, write, arg);
}

struct kml_error *kml_report_caches(const struct kml_analysis *analysis,
				    const struct kml_report_options *options,
				    kml_write_fn *write, void *arg)
{
	static report_fn *const formats[] = {
		[KML_FORMAT_TEXT] = report_caches_text,
		[KML_FORMAT_KMEMLEAK] = NULL,
		[KML_FORMAT_JSON] = report_caches_json,
	};

	return run(analysis, options, formats, write, arg);
}
