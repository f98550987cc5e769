// SPDX-License-Identifier: GPL-2.0-or-later
/* What was looked at, and how much of it could be seen. */
#include "report/report.h"

#include <inttypes.h>

#include "report/number.h"
#include "report/object.h"
#include "report/summary.h"

static void print_kernel(struct report *report)
{
	const struct kernel *kernel = report->kernel;
	const struct image_facts *facts = image_facts(report->analysis->image);

	writer_printf(&report->writer, "kernel:    %s %s%s%s\n",
		      kernel->release[0] ? kernel->release : facts->release,
		      kernel->machine, kernel->version[0] ? ", " : "",
		      kernel->version);
}

/* The one line that depends on how the dump was written. */
static void print_dump(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;
	const struct image_facts *facts = image_facts(analysis->image);
	size_t i;

	writer_puts(&report->writer, "dump:      ");
	for (i = 0; i < analysis->options.n_vmcore; i++)
		writer_printf(&report->writer, "%s%s", i ? " " : "",
			      analysis->options.vmcore[i]);
	writer_printf(&report->writer, " (%s, %s%s)\n", facts->format,
		      BYTES(facts->file_bytes),
		      facts->truncated ? ", truncated" : "");
}

static void print_debuginfo(struct report *report)
{
	const struct profile *profile = report->analysis->profile;
	const char *path = summary_vmlinux(report->analysis);
	char id[SUMMARY_ID_BYTES];

	summary_build_id(profile, id);
	writer_printf(&report->writer, "debuginfo: %s%s%s%s\n",
		      path ? path : "found by build-id", id[0] ? ", build-id " : "", id,
		      profile_mismatch(profile) ? " (NOT the dump's)" : "");
}

static void print_machine(struct report *report)
{
	const struct kernel *kernel = report->kernel;

	writer_printf(&report->writer,
		      "machine:   %s, %s of page frames, %s, %s, %s\n",
		      COUNT_OF(summary_cpus(kernel), "CPU"),
		      BYTES(summary_memory_bytes(kernel)),
		      COUNT_OF(kernel->tasks.size, "task"),
		      COUNT_OF(kernel->modules.size, "module"),
		      COUNT_OF(kernel->caches.size, "slab cache"));
}

static void print_row(struct report *report, const char *name,
		      const uint64_t *objects, const uint64_t *bytes)
{
	writer_printf(&report->writer, "  %-8s %10s %10s %10s %10s %10s %10s\n",
		      name, COUNT(objects[OBJECT_LIVE]),
		      SHORT_BYTES(bytes[OBJECT_LIVE]),
		      COUNT(objects[OBJECT_LEAKED]),
		      SHORT_BYTES(bytes[OBJECT_LEAKED]),
		      COUNT(objects[OBJECT_TORN] + objects[OBJECT_UNREADABLE]),
		      SHORT_BYTES(bytes[OBJECT_TORN] +
				  bytes[OBJECT_UNREADABLE]));
}

/* A line, if there are objects in that state. */
static void print_state(struct report *report, const char *what,
			uint64_t objects, uint64_t bytes)
{
	if (objects)
		writer_printf(&report->writer, "%s: %s, %s\n", what,
			      COUNT_OF(objects, "object"), BYTES(bytes));
}

static void print_objects(struct report *report)
{
	struct writer *w = &report->writer;
	uint64_t objects[OBJECT_STATES] = { 0 }, bytes[OBJECT_STATES] = { 0 };
	struct object_totals totals;
	unsigned kind, state;

	analysis_totals(report->analysis, &totals);
	writer_printf(w, "\n%-10s %21s %21s %21s\n", "objects", "live", "leaked",
		      "in doubt");
	for (kind = 0; kind < HEAP_KINDS; kind++) {
		for (state = 0; state < OBJECT_STATES; state++) {
			objects[state] += totals.objects[kind][state];
			bytes[state] += totals.bytes[kind][state];
		}
		print_row(report, object_kinds[kind], totals.objects[kind],
			  totals.bytes[kind]);
	}
	print_row(report, "all", objects, bytes);
	print_state(report, "torn: may be free", objects[OBJECT_TORN],
		    bytes[OBJECT_TORN]);
	print_state(report, "unreadable", objects[OBJECT_UNREADABLE],
		    bytes[OBJECT_UNREADABLE]);
	print_state(report, "waiting for RCU", objects[OBJECT_WAITING],
		    bytes[OBJECT_WAITING]);
	print_state(report, "freed, in quarantine",
		    objects[OBJECT_QUARANTINED], bytes[OBJECT_QUARANTINED]);
	writer_printf(w, "free in slabs: %s, %s; %s more, %s, in per-CPU freelists\n",
		      COUNT_OF(objects[OBJECT_FREE], "object"),
		      BYTES(bytes[OBJECT_FREE]), COUNT(objects[OBJECT_CACHED]),
		      BYTES(bytes[OBJECT_CACHED]));
}

static void print_gaps(struct report *report)
{
	const struct kernel *kernel = report->kernel;
	struct writer *w = &report->writer;
	size_t i;

	if (!kernel->gaps.size) {
		writer_puts(w, "everything that was looked for could be read\n");
		return;
	}
	writer_puts(w, "\nnot read, or not to be believed:\n");
	for (i = 0; i < kernel->gaps.size; i++) {
		const struct kernel_gap *gap = &kernel->gaps.data[i];

		writer_printf(w, "  %s %s, first at 0x%016" PRIx64 "%s\n",
			      COUNT(gap->count), gap->what, gap->first_address,
			      gap->unsound ? "" : " (harmless)");
	}
	if (kml_partial(report->analysis))
		writer_puts(w, "  The verdict is PARTIAL: what could not be read may hold objects that are\n"
			       "  reported as leaked, or be leaked itself.\n");
}

static void print_held(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;

	if (!analysis->held.n_objects)
		return;
	writer_printf(&report->writer, "held by task stacks alone: %s, %s%s\n",
		      COUNT_OF(analysis->held.n_objects, "object"),
		      BYTES(analysis->held.bytes),
		      analysis->options.held_by_stack ?
			      "" :
			      " (--held-by-stack lists them)");
}

void text_summary(struct report *report)
{
	print_kernel(report);
	print_dump(report);
	print_debuginfo(report);
	print_machine(report);
	print_objects(report);
	print_held(report);
	if (report->analysis->reached)
		text_blind_rate(report);
	if (report->analysis->options.precise)
		text_precise(report);
	text_user(report);
	print_gaps(report);
}
