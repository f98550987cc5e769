// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a run was slow or blind; mdb's ::findleaks -v prints the like. */
#include "report/report.h"

#include "report/number.h"
#include "report/statistics.h"

static void print_line(struct report *report, const char *label,
		       const char *value)
{
	writer_printf(&report->writer, "  %-18s %16s\n", label, value);
}

static void print_percent(struct report *report, const char *label, uint64_t n,
			  uint64_t all, const char *of)
{
	unsigned permille = all ? (unsigned)(n * 1000.0 / all + 0.5) : 0;

	writer_printf(&report->writer, "  %-18s %16s  %3u.%u%% of %s\n", label,
		      COUNT(n), permille / 10, permille % 10, of);
}

static void print_time(struct report *report, const char *label,
		       const struct stage_time *time)
{
	unsigned cpu = (unsigned)(time->cpu_s * 1000 + 0.5);
	unsigned wall = (unsigned)(time->wall_s * 1000 + 0.5);

	writer_printf(&report->writer, "  %-18s %8u.%03u s CPU %8u.%03u s wall\n",
		      label, cpu / 1000, cpu % 1000, wall / 1000, wall % 1000);
}

static void print_times(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;
	struct stage_time all = { 0, 0 };
	unsigned stage;

	for (stage = 0; stage < STAGES; stage++) {
		print_time(report, stage_names[stage],
			   &analysis->stages[stage]);
		all.cpu_s += analysis->stages[stage].cpu_s;
		all.wall_s += analysis->stages[stage].wall_s;
	}
	print_time(report, "all stages", &all);
}

void text_statistics(struct report *report)
{
	const struct statistics s = statistics_of(report->analysis);

	writer_puts(&report->writer, "\nstatistics\n");
	print_line(report, "objects", COUNT(s.objects));
	print_line(report, "pages scanned", COUNT(s.pages));
	print_line(report, "words scanned", COUNT(s.words));
	print_percent(report, "dismissals", s.dismissals, s.words, "words");
	print_percent(report, "candidates", s.candidates, s.words, "words");
	print_percent(report, "misses", s.misses, s.candidates, "candidates");
	print_percent(report, "self references", s.self, s.candidates,
		      "candidates");
	print_percent(report, "references", s.references, s.candidates,
		      "candidates");
	print_percent(report, "duplicates", s.duplicates, s.references,
		      "references");
	print_percent(report, "follows", s.follows, s.references,
		      "references");
	print_line(report, "peak memory", SHORT_BYTES(s.peak_bytes));
	print_line(report, "layouts from", s.layouts);
	print_times(report);
}
