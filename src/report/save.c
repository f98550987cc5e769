// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Saving a snapshot.  What reports read of the dump and of debuginfo is found
 * out by running them, with every option that adds to it, while the image and
 * the source lines are recorded; what may be asked of any address is read on
 * top of that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/behind.h"
#include "kernel/symbol.h"
#include "kernel/track.h"
#include "leak/path_cost.h"
#include "report/content.h"
#include "report/report.h"
#include "snapshot/snapshot.h"

typedef struct kml_error *report_fn(const struct kml_analysis *analysis,
				    const struct kml_report_options *options,
				    kml_write_fn *write, void *arg);

/* What kml_save() changes of an analysis for a while. */
struct saving {
	struct kml_analysis *analysis;
	struct kml_report_options options;
	struct snapshot snapshot;
	struct kml_options was;
	size_t n_kept; /* warnings */
};

/* A kml_write_fn: what is read matters, not what is written. */
static int write_nothing(void *arg, const char *text, size_t bytes)
{
	struct kml_error *error = message_progress(arg, "snapshot", 0, 0);

	(void)text;
	(void)bytes;
	kml_error_destroy(error);
	return error ? EINTR : 0;
}

/* ---- what the analysis has not looked for unless it was asked to */

static void swap_gaps(struct kernel *kernel, struct gap_list *list)
{
	struct gap_list other;

	memcpy(&other.gaps, &kernel->gaps, sizeof(other.gaps));
	memcpy(&kernel->gaps, &list->gaps, sizeof(kernel->gaps));
	*list = other;
}

static struct kml_error *compare(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	struct kml_error *error;

	swap_gaps(&a->kernel, &s->snapshot.comparison_gaps);
	error = compare_verdicts(&a->kernel, &a->graph, a->reached,
				 &a->kmemleak, &s->snapshot.comparison);
	swap_gaps(&a->kernel, &s->snapshot.comparison_gaps);
	return error;
}

/* That there are none, or that they cannot be read, is kept as well. */
static struct kml_error *read_kmemleak(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	kml_message_fn *fn = a->messenger.fn;
	struct kml_error *error;

	swap_gaps(&a->kernel, &s->snapshot.kmemleak_gaps);
	a->messenger.fn = NULL;
	error = analysis_load_kmemleak(a);
	a->messenger.fn = fn;
	swap_gaps(&a->kernel, &s->snapshot.kmemleak_gaps);
	if (!error)
		return compare(s);
	if (kml_error_code(error) == KML_ERR_NOMEM ||
	    kml_error_code(error) == KML_ERR_OS)
		return error;
	kmemleak_deinit(&a->kmemleak);
	memset(&a->kmemleak, 0, sizeof(a->kmemleak));
	s->snapshot.kmemleak_code = kml_error_code(error);
	s->snapshot.kmemleak_why = strdup(kml_error_message(error));
	kml_error_destroy(error);
	return s->snapshot.kmemleak_why ? NULL : error_nomem();
}

static struct kml_error *find_blind(struct kml_analysis *a)
{
	struct blind blind;
	struct kml_error *error;

	if (a->options.blind)
		return NULL;
	error = blind_find(&a->kernel, &a->graph, a->reached, true, &blind);
	if (error)
		return error;
	blind_deinit(&a->blind);
	a->blind = blind;
	return NULL;
}

static struct kml_error *keep_gaps(struct saving *s)
{
	struct kernel *kernel = &s->analysis->kernel;
	struct gap_list *gaps = &s->snapshot.gaps;
	size_t n = kernel->gaps.size;

	if (!vec_reserve(&gaps->gaps, n + 1))
		return error_nomem();
	if (n)
		memcpy(gaps->gaps.data, kernel->gaps.data,
		       n * sizeof(*gaps->gaps.data));
	gaps->gaps.size = n;
	return NULL;
}

static struct kml_error *complete(struct saving *s)
{
	struct kml_error *error = read_kmemleak(s);

	if (!error)
		error = find_blind(s->analysis);
	return error ? error : keep_gaps(s);
}

/* ---- what the reports read */

static struct kml_error *run_report(struct saving *s, report_fn *report,
				    enum kml_format format,
				    enum kml_kmemleak records)
{
	struct kml_report_options options = KML_REPORT_OPTIONS_INIT;

	options.format = format;
	options.no_content = s->options.no_content;
	options.kmemleak = records;
	return report(s->analysis, &options, write_nothing,
		      &s->analysis->messenger);
}

static struct kml_error *run_reports(struct saving *s)
{
	static const struct {
		report_fn *report;
		enum kml_format format;
		bool kmemleak;
		enum kml_kmemleak records;
	} reports[] = {
		{ kml_report, KML_FORMAT_TEXT, false, KML_KMEMLEAK_SHOW },
		{ kml_report, KML_FORMAT_JSON, false, KML_KMEMLEAK_SHOW },
		{ kml_report, KML_FORMAT_KMEMLEAK, false, KML_KMEMLEAK_SHOW },
		{ kml_report_top, KML_FORMAT_TEXT, false, KML_KMEMLEAK_SHOW },
		{ kml_report_caches, KML_FORMAT_TEXT, false, KML_KMEMLEAK_SHOW },
		{ kml_report_caches, KML_FORMAT_JSON, false, KML_KMEMLEAK_SHOW },
		{ kml_report_kmemleak, KML_FORMAT_TEXT, true,
		  KML_KMEMLEAK_SHOW },
		{ kml_report_kmemleak, KML_FORMAT_TEXT, true,
		  KML_KMEMLEAK_ALL },
		{ kml_report_kmemleak, KML_FORMAT_JSON, true,
		  KML_KMEMLEAK_ALL },
		{ kml_report_compare, KML_FORMAT_TEXT, true, KML_KMEMLEAK_SHOW },
		{ kml_report_compare, KML_FORMAT_JSON, true, KML_KMEMLEAK_SHOW },
	};
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(reports); i++) {
		if (!reports[i].kmemleak || !s->snapshot.kmemleak_why)
			error = run_report(s, reports[i].report,
					   reports[i].format,
					   reports[i].records);
	}
	return error;
}

/* Each address is looked up once, however many objects have it. */
static void read_lines(struct kml_analysis *a, const struct site *site)
{
	const struct lines_frame *frames;
	size_t i;

	for (i = 0; !a->options.no_lines && i < site->n_frames; i++)
		lines_resolve(a->lines, site->frames[i], true, &frames);
}

/* Who allocated each object, and who pays for it, by all that says so. */
static void read_sites(struct kml_analysis *a)
{
	struct site site;
	unsigned source;
	uint32_t id;

	for (id = 0; id < a->heap.n_ids; id++) {
		for (source = 0; source < SITE_SOURCES; source++) {
			if (sites_find(&a->sites, id, source, &site))
				read_lines(a, &site);
		}
		sites_memcg(&a->sites, id);
	}
}

/* What was read of it before the recorder was on is read again. */
static struct kml_error *reopen_sites(struct kml_analysis *a)
{
	sites_deinit(&a->sites);
	memset(&a->sites, 0, sizeof(a->sites));
	return sites_open(&a->sites, &a->kernel, NULL);
}

/* An address may be on any stack; that one cannot be unwound is kept, too. */
static void read_stacks(const struct kml_analysis *a)
{
	struct lines_stack_frame *frames;
	size_t i, n;

	for (i = 0; !a->options.no_lines && i < a->kernel.tasks.size; i++) {
		struct kml_error *error;

		error = lines_stack(a->lines, a->kernel.tasks.data[i].va,
				    &frames, &n);
		if (!error)
			free(frames);
		kml_error_destroy(error);
	}
}

/* kml_report_show() may be asked for any leaked object. */
static struct kml_error *read_contents(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	struct report *report = calloc(1, sizeof(*report));
	struct content content;
	struct kml_error *error;
	uint32_t id;

	if (!report)
		return error_nomem();
	report->analysis = a;
	report->kernel = &a->kernel;
	report->heap = &a->heap;
	writer_init(&report->writer, write_nothing, &a->messenger);
	for (id = 0; id < a->heap.n_ids; id++) {
		if (leak_is_white(&a->kernel, a->reached, id)) {
			const struct object object = object_of(report, id);

			content_read(report, &object, CONTENT_BYTES, &content);
		}
	}
	error = writer_finish(&report->writer);
	free(report);
	return error;
}

/* kml_report_path() may be asked for any object, show for any address. */
static struct kml_error *read_holders(struct kml_analysis *a)
{
	struct path_cost cost;
	struct kml_error *error;

	error = path_cost_init(&cost, &a->kernel, &a->graph,
			       a->inferred ? &a->infer : NULL, a->reached);
	if (error)
		return error;
	path_cost_deinit(&cost);
	return kernel_load_behind(&a->kernel);
}

static struct kml_error *read_all(struct saving *s)
{
	struct kml_error *error = reopen_sites(s->analysis);

	if (!error)
		error = run_reports(s);
	if (error)
		return error;
	kernel_read_symbols(&s->analysis->kernel);
	error = read_holders(s->analysis);
	if (error)
		return error;
	read_sites(s->analysis);
	read_stacks(s->analysis);
	if (!s->snapshot.kmemleak_why)
		kmemleak_open_traces(&s->analysis->kernel,
				     &s->analysis->kmemleak);
	return s->options.no_content ? NULL : read_contents(s);
}

static struct kml_error *record(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	struct kml_error *error, *other;

	error = image_record_start(a->image);
	if (error)
		return error;
	lines_record_start(a->lines);
	a->kernel.answers.all.size = 0;
	a->kernel.answers.record = true;
	error = read_all(s);
	if (!error && !a->kernel.answers.record)
		error = error_nomem();
	a->kernel.answers.record = false;
	other = image_record_stop(a->image, error ? NULL : &s->snapshot.image);
	error = error ? error : other;
	other = lines_record_stop(a->lines, &s->snapshot.lines);
	if (error)
		kml_error_destroy(other);
	return error ? error : other;
}

/* ---- all of it */

static void begin(struct saving *s)
{
	struct kml_analysis *a = s->analysis;

	s->was = a->options;
	s->n_kept = a->messenger.kept.size;
	s->snapshot.analysis = a;
	s->snapshot.no_content = s->options.no_content;
	s->snapshot.no_lines = a->options.no_lines;
}

/* As it was, but that the holders of stale words are known now. */
static void end(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	struct messenger *messenger = &a->messenger;

	a->options = s->was;
	a->loaded.comparison = NULL;
	kmemleak_deinit(&a->kmemleak);
	memset(&a->kmemleak, 0, sizeof(a->kmemleak));
	while (messenger->kept.size > s->n_kept)
		free(messenger->kept.data[--messenger->kept.size].text);
	snapshot_deinit(&s->snapshot);
}

static struct kml_error *record_all(struct saving *s)
{
	struct kml_analysis *a = s->analysis;
	struct kml_error *error = complete(s);

	if (error)
		return error;
	a->options.held_by_stack = a->options.blind = true;
	a->options.kmemleak = !s->snapshot.kmemleak_why;
	a->loaded.comparison = &s->snapshot.comparison;
	error = record(s);
	/* Without what reports themselves could not read. */
	swap_gaps(&a->kernel, &s->snapshot.gaps);
	vec_deinit(&s->snapshot.gaps.gaps);
	return error ? error : keep_gaps(s);
}

struct kml_error *kml_save(const struct kml_analysis *analysis,
			   const struct kml_report_options *options,
			   kml_write_fn *write, void *arg)
{
	struct saving s = { .analysis = (struct kml_analysis *)analysis };
	struct kml_error *error;

	if (options->size < sizeof(size_t) + sizeof(enum kml_format))
		return error_new(KML_ERR_ARGUMENT,
				 "the report's options are incomplete");
	if (analysis->loaded.is_loaded)
		return error_new(KML_ERR_ARGUMENT,
				 "this is a snapshot already: copy it");
	if (!analysis->reached || analysis->options.kmemleak)
		return error_new(KML_ERR_ARGUMENT,
				 "only a whole analysis is saved, without kmemleak's records: the snapshot has them anyway");
	memcpy(&s.options, options, MIN(options->size, sizeof(s.options)));
	begin(&s);
	error = record_all(&s);
	if (!error && s.options.no_content)
		vec_deinit(&s.snapshot.image.cpus);
	if (!error)
		error = snapshot_write(&s.snapshot, write, arg);
	end(&s);
	return error;
}
