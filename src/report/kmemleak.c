// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The format of /sys/kernel/debug/kmemleak, as print_unreferenced() of
 * mm/kmemleak.c writes it, so that what reads that file reads this.
 *
 * Every leaked object, root or follower, is an entry, in order of addresses.
 * Who allocated it, and when, comes from the best source that there is
 * (site.h).  Without any comm is "unknown", pid and jiffies are 0, and the
 * backtrace is empty; an allocation tag is printed in place of a backtrace.  Per-cpu blocks are written as Linux
 * 6.10 and later do.
 */
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/util.h"
#include "report/content.h"
#include "report/records.h"
#include "report/site.h"

struct entry {
	uint64_t va;
	uint32_t id;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

void print_kmemleak_hex_dump(struct report *report, const struct object *object)
{
	struct writer *w = &report->writer;
	struct content content;
	char row[72];
	size_t i;

	content_read(report, object, CONTENT_SHOWN, &content);
	writer_printf(w, "  hex dump (first %zu bytes", content.bytes);
	if (content.cpu >= 0)
		writer_printf(w, " on cpu %d", content.cpu);
	writer_puts(w, "):\n");
	for (i = 0; i < content.bytes; i += HEX_ROW_BYTES) {
		content_hex_row(content.data + i,
				MIN(content.bytes - i, HEX_ROW_BYTES), row);
		writer_printf(w, "    %s\n", row);
	}
}

static void print_stack(struct report *report,
			const struct object_sites *known)
{
	struct writer *w = &report->writer;
	char text[SITE_WHERE_BYTES];
	size_t i;

	for (i = 0; known->stack && i < known->stack->n_frames; i++) {
		object_code_symbol(report, known->stack->frames[i], text);
		writer_printf(w, "    [<%016" PRIx64 ">] %s\n",
			      known->stack->frames[i], text);
	}
	if (!known->stack && known->where) {
		site_where(report, known->where, text);
		writer_printf(w, "    %s\n", text);
	}
}

static void print_entry(struct report *report, uint32_t id)
{
	const struct object object = object_of(report, id);
	struct writer *w = &report->writer;
	struct object_sites known;
	const struct site *who;

	object_sites_find(report, id, &known);
	who = known.who;
	writer_printf(w, "unreferenced object %s0x%08" PRIx64 " (size %" PRIu64 "):\n",
		      object.kind == HEAP_PERCPU ? "(percpu) " : "", object.va,
		      object.bytes);
	writer_printf(w, "  comm \"%s\", pid %" PRIu32 ", jiffies %" PRIu64 "\n",
		      who && who->comm[0] ? who->comm : "unknown",
		      who ? who->pid : 0,
		      who && who->has_jiffies ? who->jiffies : 0);
	if (!report->options.no_content)
		print_kmemleak_hex_dump(report, &object);
	writer_puts(w, "  backtrace:\n");
	print_stack(report, &known);
}

void report_kmemleak(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;
	uint32_t n = 0, id, i;
	_cleanup_free_ struct entry *entries =
		calloc(analysis->leaks.n_objects + 1, sizeof(*entries));

	if (!entries) {
		writer_fail(&report->writer, error_nomem());
		return;
	}
	for (id = 0; id < analysis->heap.n_ids; id++) {
		if (n < analysis->leaks.n_objects &&
		    leak_is_white(&analysis->kernel, analysis->reached, id))
			entries[n++] = (struct entry){
				heap_object_va(report->heap, id), id
			};
	}
	qsort(entries, n, sizeof(*entries), compare_entries);
	for (i = 0; i < n; i++)
		print_entry(report, entries[i].id);
}
