// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "report/number.h"

/* Caches named of what a point retains. */
#define MAX_FAMILIES 4u

static void print_row(struct writer *w, uint64_t objects, uint64_t bytes,
		      uint64_t all_bytes, const char *name)
{
	double share = all_bytes ? 100.0 * (double)bytes / (double)all_bytes : 0;

	writer_printf(w, "%12s %10s %5.1f %%  %s\n", COUNT(objects),
		      SHORT_BYTES(bytes), share, name);
}

static void print_table(const struct top *top, const struct top_table *table,
			const struct top_count *count)
{
	struct report *report = top->report;
	struct writer *w = &report->writer;
	uint64_t all = top->holdings->bytes, objects = 0, bytes = 0;
	char name[TOP_NAME_BYTES];
	size_t i, n;

	writer_printf(w, "\n%s\n", table->title);
	n = top_limit(report, count->rows.size);
	for (i = 0; i < count->rows.size; i++) {
		const struct top_row *row = &count->rows.data[i];

		if (i < n) {
			table->format(top, row->key, name);
			print_row(w, row->objects, row->bytes, all, name);
		} else {
			objects += row->objects;
			bytes += row->bytes;
		}
	}
	if (n < count->rows.size) {
		snprintf(name, sizeof(name), "%s more",
			 COUNT(count->rows.size - n));
		print_row(w, objects, bytes, all, name);
	}
	if (count->unknown_objects)
		print_row(w, count->unknown_objects, count->unknown_bytes, all,
			  "not known");
}

static void print_families(const struct top *top,
			   const struct accumulation *point)
{
	const struct accumulations *found = &top->holdings->accumulations;
	struct writer *w = &top->report->writer;
	uint32_t i, n = MIN(point->n_families, MAX_FAMILIES);
	char name[TOP_NAME_BYTES];

	for (i = 0; i < n; i++) {
		const struct accumulation_family *family =
			&found->families.data[point->first_family + i];

		top_format_family(top, family, name);
		writer_printf(w, "%s%s %s in %s", i ? ", " : "     of which ",
			      name, BYTES(family->bytes),
			      COUNT_OF(family->objects, "object"));
	}
	if (n < point->n_families)
		writer_printf(w, ", and %s more",
			      COUNT(point->n_families - n));
	if (n)
		writer_puts(w, "\n");
}

/* The steps behind the first one. */
static void print_steps(const struct top *top, const struct accumulation *point)
{
	struct writer *w = &top->report->writer;
	char name[TOP_NAME_BYTES];
	uint32_t i;

	for (i = 1; i < point->n_steps; i++) {
		top_format_word(top, &point->steps[i], name);
		if (i == point->n_steps - 1 && point->n_omitted)
			writer_printf(w, "     ... %s more\n",
				      COUNT(point->n_omitted));
		writer_printf(w, "     -> %s\n", name);
	}
	if (point->n_chain)
		writer_printf(w, "     a list of %s, one after the other\n",
			      COUNT_OF(point->n_chain, "object"));
	else if (point->n_children > 1)
		writer_printf(w, "     %s directly below%s\n",
			      COUNT_OF(point->n_children, "object"),
			      point->n_steps > 1 ? " that" : "");
}

static void print_ways(const struct top *top, const struct accumulation *point)
{
	struct writer *w = &top->report->writer;
	char name[TOP_NAME_BYTES];
	uint32_t i;

	for (i = 0; i < point->n_ways; i++) {
		top_format_word(top, &point->ways[i], name);
		writer_printf(w, "%s%s", i ? "; " : "     held by ", name);
	}
	if (point->n_outside > point->n_ways && point->n_ways)
		writer_printf(w, "; in all %s",
			      COUNT_OF(point->n_outside, "reference"));
	if (point->n_ways)
		writer_puts(w, "\n");
	else if (point->n_outside)
		writer_printf(w, "     also %s from elsewhere\n",
			      COUNT_OF(point->n_outside, "reference"));
}

static void print_point(const struct top *top, size_t i,
			const struct accumulation *point)
{
	struct writer *w = &top->report->writer;
	char name[TOP_NAME_BYTES];

	writer_printf(w, "%zu. ", i + 1);
	if (point->kind == ACCUMULATION_SHARED) {
		writer_printf(w,
			      "%s, %s, that refer to each other and have several holders\n",
			      COUNT_OF(point->objects, "object"),
			      BYTES(point->bytes));
	} else {
		top_format_word(top, &point->steps[0], name);
		writer_printf(w, "%s%s retains %s, %s\n",
			      point->is_list ?
				      "list head in " :
				      "",
			      name, COUNT_OF(point->objects, "object"),
			      BYTES(point->bytes));
	}
	print_families(top, point);
	print_steps(top, point);
	print_ways(top, point);
}

static void print_points(const struct top *top)
{
	const struct accumulations *found = &top->holdings->accumulations;
	struct writer *w = &top->report->writer;
	size_t n = top_limit(top->report, found->points.size), i;
	uint64_t objects = found->omitted_objects, bytes = found->omitted_bytes;
	uint64_t more = found->points.size - n + found->n_omitted;

	writer_puts(w, "\naccumulation points\n");
	for (i = 0; i < found->points.size; i++) {
		const struct accumulation *point = &found->points.data[i];

		if (i < n) {
			print_point(top, i, point);
		} else {
			objects += point->objects;
			bytes += point->bytes;
		}
	}
	if (more)
		writer_printf(w, "%s more retain %s, %s\n", COUNT(more),
			      COUNT_OF(objects, "object"), BYTES(bytes));
}

void report_top_text(struct report *report)
{
	const struct holdings *h = &report->analysis->holdings;
	struct top_count counts[TOP_TABLES];
	struct top top;
	size_t i;

	if (!top_init(&top, report))
		return;
	writer_printf(&report->writer,
		      "live: %s, %s (mappings have no bytes of their own)\n",
		      COUNT_OF(h->objects, "object"), BYTES(h->bytes));
	if (top_count(&top, counts)) {
		for (i = 0; i < TOP_TABLES; i++) {
			if (top_wants(report, top_tables[i].bit))
				print_table(&top, &top_tables[i], &counts[i]);
		}
		top_count_deinit(counts);
	}
	if (top_wants(report, KML_TOP_ACCUMULATION))
		print_points(&top);
	top_deinit(&top);
}
