// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze path, for a person. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/lookup.h"
#include "report/number.h"
#include "report/path.h"

/* Of a longer chain the middle is left out. */
#define SHOWN_LINKS 32u

static enum heap_reference how_of(const struct path_link *link)
{
	return (enum heap_reference)(link->where >> 29);
}

static uint32_t word_of(const struct path_link *link)
{
	return link->where & ((1u << 29) - 1);
}

/* @how: the link in front refers to its object. */
static void print_link(struct path_report *p, const struct path_link *link,
		       bool first, enum heap_reference how)
{
	struct report *report = p->report;
	struct holder holder;

	holder_of(report, link->source, word_of(link), &holder);
	writer_printf(&report->writer, "    %s%s%s\n", first ? "" : "-> ",
		      holder.text, first ? "" : holder_how(how));
	if (holder.task) {
		const struct stack_slot slot = holder_frame(p->stacks, &holder);

		text_frame(report, &slot);
	}
}

static void print_chain(struct path_report *p, const struct show *show,
			const struct path_link *links, uint32_t n)
{
	struct writer *w = &p->report->writer;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (i == SHOWN_LINKS && n - i > SHOWN_LINKS) {
			writer_printf(w, "    -> ... %s more ...\n",
				      COUNT(n - SHOWN_LINKS - i));
			i = n - SHOWN_LINKS;
		}
		print_link(p, &links[i], !i,
			   i ? how_of(&links[i - 1]) : HEAP_REF_ADDRESS);
	}
	writer_printf(w, "    -> %s 0x%016" PRIx64 "%s\n",
		      object_family(&show->object), show->object.va,
		      holder_how(how_of(&links[n - 1])));
}

static void print_path(struct report *report, struct show *show, void *arg)
{
	struct path_report *p = arg;
	struct writer *w = &report->writer;
	enum path_start start;
	struct path_link *links;
	const char *why;
	uint32_t n;
	struct kml_error *error = paths_get(&p->search, &p->paths, show->id,
					    &start, &links, &n);

	if (error) {
		writer_fail(w, error);
		return;
	}
	why = path_why(p->report, show->id, start, n);
	if (why)
		writer_printf(w, "  %s\n", why);
	if (n) {
		writer_printf(w, "  %s in a chain:\n",
			      COUNT_OF(n, "reference"));
		print_chain(p, show, links, n);
	}
	free(links);
}

void report_path_text(struct report *report)
{
	struct path_report p;

	if (!path_report_init(&p, report))
		return;
	show_text_addresses(report, print_path, &p);
	if (kml_partial(report->analysis))
		writer_puts(&report->writer,
			    "\nThe verdict is PARTIAL: something that it needs could not be read.\n");
	path_report_deinit(&p);
}
