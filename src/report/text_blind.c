// SPDX-License-Identifier: GPL-2.0-or-later
/* How blind the scan is in this dump, and what blinds it. */
#include "report/report.h"

#include <inttypes.h>

#include "report/number.h"
#include "report/source.h"

void text_blind_rate(struct report *report)
{
	const struct kml_analysis *analysis = report->analysis;
	const struct blind *blind = &analysis->blind;
	struct writer *w = &report->writer;

	if (!blind->n_free) {
		writer_puts(w, "blind rate: unknown, as no object is known to be free\n");
		return;
	}
	writer_printf(w, "blind rate: %.2f %%: of %s, %s %s referenced by stale words%s\n",
		      100.0 * (double)blind->n_referenced /
			      (double)blind->n_free,
		      COUNT_OF(blind->n_free, "free object"),
		      COUNT(blind->n_referenced),
		      blind->n_referenced == 1 ? "looks" : "look",
		      analysis->options.blind || !blind->n_referenced ?
			      "" :
			      " (--blind lists them)");
}

static void print_holder(struct report *report,
			 const struct blind_holder *holder)
{
	struct writer *w = &report->writer;
	char name[PLACE_BYTES];

	source_format(report, holder, name);
	writer_printf(w, "  %7s %7s  %-16s  %s\n", COUNT(holder->n_alone),
		      COUNT(holder->n_free), source_how[holder->how], name);
}

void text_precise(struct report *report)
{
	const struct graph_statistics *s = &report->analysis->graph.statistics;

	writer_printf(&report->writer,
		      "type-precise: in objects of %s of known type %s %s no pointer and disregarded\n",
		      COUNT_OF(s->typed_caches, "slab cache"),
		      COUNT_OF(s->integers, "word"),
		      s->integers == 1 ? "is" : "are");
}

void text_blind(struct report *report)
{
	const struct blind *blind = &report->analysis->blind;
	struct writer *w = &report->writer;
	uint32_t i;

	writer_printf(w,
		      "\nWhat looks like a reference to a free object, and would hide a leak as well\n"
		      "  (free objects that only this holds, that this holds, as what, where)\n");
	for (i = 0; i < blind->n_holders; i++)
		print_holder(report, &blind->holders[i]);
	if (blind->n_omitted)
		writer_printf(w, "  ... and %s more places\n",
			      COUNT(blind->n_omitted));
	if (!blind->n_holders)
		writer_puts(w, "  nothing\n");
	else
		writer_puts(w, "  To lower it, erase such a word with a rule (--rules) if its owner can do without;\n"
			       "  --stack=off leaves stacks out, at the price of false alarms.\n");
}
