// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze refs, for a person. */
#include <inttypes.h>

#include "report/holder.h"
#include "report/lookup.h"
#include "report/number.h"
#include "report/show.h"
#include "report/source.h"

/* What has to be said of a holder that is no plain live object. */
static const char *state_word(const struct holder *h)
{
	static const char *const words[OBJECT_STATES] = {
		[OBJECT_LEAKED] = ", leaked itself",
		[OBJECT_WAITING] = ", waiting for RCU itself",
		[OBJECT_FREE] = ", free itself",
		[OBJECT_CACHED] = ", free itself",
		[OBJECT_QUARANTINED] = ", free itself",
		[OBJECT_TORN] = ", in doubt itself",
		[OBJECT_UNREADABLE] = ", in doubt itself",
	};

	return h->id != HEAP_NONE && words[h->state] ? words[h->state] : "";
}

static void print_more(struct report *report, uint64_t n, uint64_t shown)
{
	if (n > shown)
		writer_printf(&report->writer, "    and %s more\n",
			      COUNT(n - shown));
}

static void print_references(struct report *report, const struct show *show)
{
	const struct graph_reverse *reverse = &report->lookup->references;
	uint64_t n = reverse->first[show->id + 1] - reverse->first[show->id];
	struct writer *w = &report->writer;
	struct show_cursor cursor = { 0 };
	const struct graph_reference *r;
	struct holder holder;
	uint64_t i;

	if (!n) {
		writer_puts(w, "  no word refers to it\n");
		return;
	}
	writer_printf(w, "  %s to it:\n", COUNT_OF(n, "reference"));
	for (i = 0; report_lists(report, i) &&
		    show_next_reference(report, show->id, &cursor, &r);
	     i++) {
		holder_of(report, r->from, graph_reference_word(r), &holder);
		writer_printf(w, "    %-15s %s%s%s\n",
			      grade_names[holder.grade], holder.text,
			      holder_how(graph_reference_how(r)),
			      state_word(&holder));
	}
	print_more(report, n, i);
}

static void print_disregarded(struct report *report, uint32_t id)
{
	const struct graph_disregarded *words;
	struct writer *w = &report->writer;
	struct holder holder;
	size_t n, i;

	words = graph_find_disregarded(&report->analysis->graph, id, &n);
	if (!n)
		return;
	writer_printf(w, "  and %s that equal%s its address, but no reference:\n",
		      COUNT_OF(n, "word"), n == 1 ? "s" : "");
	for (i = 0; i < n && report_lists(report, i); i++) {
		holder_of(report, words[i].from, words[i].word, &holder);
		writer_printf(w, "    %-15s %s%s: %s\n",
			      grade_names[holder.grade], holder.text,
			      state_word(&holder),
			      source_disregards[words[i].why]);
	}
	print_more(report, n, i);
}

static void print_refs(struct report *report, struct show *show, void *arg)
{
	(void)arg;
	print_references(report, show);
	print_disregarded(report, show->id);
}

void report_refs_text(struct report *report)
{
	if (!lookup_leaks(report) || !lookup_references(report))
		return;
	show_text_addresses(report, print_refs, NULL);
	if (kml_partial(report->analysis))
		writer_puts(&report->writer,
			    "\nThe result is PARTIAL: something that may refer to these could not be read.\n");
}
