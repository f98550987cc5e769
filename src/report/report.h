/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: one file per format over one analysis.  What goes wrong while a
 * report is written sticks to its writer.
 *
 * All but the "dump" line and the statistics is the same for every format of
 * a dump of the same moment, any number of threads, and whether debuginfo
 * comes from a cache or not.
 */
#ifndef KML_REPORT_REPORT_H
#define KML_REPORT_REPORT_H

#include "leak/analysis.h"
#include "report/writer.h"

struct lookup;

struct report {
	/* Not const: symbols and memory are read through caches. */
	struct kml_analysis *analysis;
	struct kernel *kernel; /* these two are the analysis' */
	struct heap *heap;
	struct lookup *lookup; /* lookup.h */
	struct kml_report_options options;
	struct writer writer;
};

/* Is the @n-th (from 0 on) of what --limit is about listed? */
static inline bool report_lists(const struct report *report, uint64_t n)
{
	return !report->options.limit || n < report->options.limit;
}

void report_text(struct report *report);
void report_kmemleak(struct report *report);
void report_json(struct report *report);
void report_show_text(struct report *report);
void report_show_json(struct report *report);
void report_refs_text(struct report *report);
void report_refs_json(struct report *report);
void report_path_text(struct report *report);
void report_path_json(struct report *report);
void report_whatis_text(struct report *report);
void report_whatis_json(struct report *report);
void report_records_text(struct report *report);
void report_records_json(struct report *report);
void report_compare_text(struct report *report);
void report_compare_json(struct report *report);
void report_caches_text(struct report *report);
void report_caches_json(struct report *report);
void report_top_text(struct report *report);
void report_top_json(struct report *report);

/* ---- parts of the text report */

void text_summary(struct report *report);
void text_held(struct report *report);
void text_blind_rate(struct report *report);
void text_blind(struct report *report);
void text_precise(struct report *report);
void text_statistics(struct report *report);
/* What rules and baseline did; nothing without them. */
void text_user(struct report *report);
void text_rules(struct report *report);

#endif
