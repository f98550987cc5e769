// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report that the kernel's own kmemleak would print.  Its format changed
 * now and then, and the kernel's format strings say which this one has.  Where
 * the kernel would print a hash of an address (%p) this prints the address.
 */
#include "report/report.h"

#include <inttypes.h>

#include "report/number.h"
#include "report/records.h"

static const char *pointer_kind(const struct kmemleak_record *record)
{
	if (record->flags & KMEMLEAK_PHYS)
		return "(phys) ";
	return record->flags & KMEMLEAK_PERCPU ? "(percpu) " : "";
}

static void print_comm(struct report *report,
		       const struct kmemleak_record *record)
{
	struct writer *w = &report->writer;
	uint64_t age = record_age_ms(report, record->jiffies);

	writer_printf(w, "  comm \"%s\", pid %" PRId32 ", jiffies %" PRIu64,
		      record->comm, (int32_t)record->pid, record->jiffies);
	if (report->analysis->kmemleak.prints_age)
		writer_printf(w, " (age %" PRIu64 ".%03" PRIu64 "s)",
			      age / 1000, age % 1000);
	writer_puts(w, "\n");
}

static void print_backtrace(struct report *report,
			    const struct kmemleak_record *record)
{
	struct writer *w = &report->writer;
	uint64_t trace[STACKDEPOT_FRAMES];
	size_t n = record_trace(report, record, trace), i;
	char symbol[SYMBOL_BYTES_MAX];

	for (i = 0; i < n; i++) {
		writer_puts(w, "    ");
		if (report->analysis->kmemleak.prints_address)
			writer_printf(w, "[<%016" PRIx64 ">] ", trace[i]);
		object_symbol(report, trace[i], symbol);
		writer_printf(w, "%s\n", symbol);
	}
}

/* As print_unreferenced() of mm/kmemleak.c. */
static void print_unreferenced(struct report *report,
			       const struct kmemleak_record *record)
{
	const struct object object = record_object(record);
	struct writer *w = &report->writer;

	writer_printf(w, "unreferenced object %s0x%08" PRIx64 " (size %" PRIu64 "):\n",
		      pointer_kind(record), record->pointer, record->size);
	print_comm(report, record);
	if (!report->options.no_content)
		print_kmemleak_hex_dump(report, &object);
	writer_puts(w, "  backtrace");
	if (report->analysis->kmemleak.prints_checksum)
		writer_printf(w, " (crc %" PRIx32 ")", record->checksum);
	writer_puts(w, ":\n");
	print_backtrace(report, record);
}

static void print_areas(struct report *report,
			const struct kmemleak_record *record)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	unsigned i;

	for (i = 0; i < record->n_areas; i++) {
		const struct kmemleak_area *area =
			&kmemleak->areas.data[record->first_area + i];

		writer_printf(&report->writer,
			      "  scan_area = +0x%" PRIx64 " (size %" PRIu64 ")\n",
			      area->start - record->pointer, area->size);
	}
}

/* As dump_object_info() of mm/kmemleak.c, with the color and what else there
 * is in a record. */
static void print_info(struct report *report,
		       const struct kmemleak_record *record)
{
	struct writer *w = &report->writer;
	bool reported = kmemleak_is_reported(&report->analysis->kmemleak,
					     record);

	writer_printf(w, "Object %s0x%08" PRIx64 " (size %" PRIu64 "):\n",
		      pointer_kind(record), record->pointer, record->size);
	print_comm(report, record);
	writer_printf(w, "  color = %s%s\n",
		      record_colors[kmemleak_color(record)],
		      reported ? ", reported" : "");
	writer_printf(w, "  min_count = %" PRId32 "\n", record->min_count);
	writer_printf(w, "  count = %" PRId32 "\n", record->count);
	writer_printf(w, "  flags = 0x%x\n", record->flags);
	writer_printf(w, "  checksum = %" PRIu32 "\n", record->checksum);
	if (record->excess_ref)
		writer_printf(w, "  excess_ref = 0x%" PRIx64 "\n",
			      record->excess_ref);
	print_areas(report, record);
	writer_puts(w, "  backtrace:\n");
	print_backtrace(report, record);
}

static void print_line(struct report *report, const char *label, uint64_t n)
{
	writer_printf(&report->writer, "  %-28s %12s\n", label, COUNT(n));
}

static void print_statistics(struct report *report)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	const struct record_statistics s = record_statistics_of(report);
	uint64_t ago = record_age_ms(report, kmemleak->last_scan);

	writer_puts(&report->writer, "\nkmemleak's records\n");
	print_line(report, "objects", s.records);
	print_line(report, "bytes", s.bytes);
	print_line(report, "white", s.colors[KMEMLEAK_WHITE]);
	print_line(report, "  reported", s.reported);
	print_line(report, "  too young to be", s.young);
	print_line(report, "gray", s.colors[KMEMLEAK_GRAY]);
	print_line(report, "  min_count 0: never a leak", s.not_leak);
	print_line(report, "black: ignored", s.colors[KMEMLEAK_BLACK]);
	print_line(report, "not scanned", s.no_scan);
	print_line(report, "scanned in part", s.with_areas);
	print_line(report, "  areas", s.areas);
	print_line(report, "  whole for want of memory", s.full_scan);
	print_line(report, "with excess_ref", s.excess);
	print_line(report, "physical addresses", s.phys);
	print_line(report, "per-cpu pointers", s.percpu);
	if (kmemleak->hz)
		writer_printf(&report->writer,
			      "  last scan began %" PRIu64 ".%03" PRIu64 " s before the dump\n",
			      ago / 1000, ago % 1000);
	if (!kmemleak->enabled)
		writer_puts(&report->writer,
			    "  kmemleak was off, or had given up\n");
}

void report_records_text(struct report *report)
{
	const struct kmemleak *kmemleak = &report->analysis->kmemleak;
	size_t i;

	for (i = 0; i < kmemleak->records.size; i++) {
		const struct kmemleak_record *record =
			&kmemleak->records.data[i];

		if (!record_wanted(report, record))
			continue;
		if (report->options.kmemleak == KML_KMEMLEAK_ALL)
			print_info(report, record);
		else
			print_unreferenced(report, record);
	}
	if (report->options.statistics)
		print_statistics(report);
}
