// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze show, for a person. */
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "report/holder.h"
#include "report/lookup.h"
#include "report/number.h"
#include "report/show.h"
#include "report/site.h"
#include "report/type.h"

/* Of the object's beginning, and around the address if that lies behind. */
#define SHOWN_BYTES 64u

static void print_rows(struct report *report, const struct show *show,
		       uint64_t from, uint64_t bytes)
{
	struct content content;
	char row[72];
	size_t i;

	content_read_at(report, &show->object, from, bytes, &content);
	for (i = 0; i < content.bytes; i += HEX_ROW_BYTES) {
		content_hex_row(content.data + i,
				MIN(content.bytes - i, HEX_ROW_BYTES), row);
		writer_printf(&report->writer, "    +0x%04" PRIx64 "  %s\n",
			      from + i, row);
	}
	if (!content.readable)
		writer_puts(&report->writer,
			    "    its contents are not in the dump\n");
}

static void print_content(struct report *report, const struct show *show)
{
	uint64_t bytes = show->object.bytes, row;

	if (!show_has_content(report, show)) {
		writer_puts(&report->writer,
			    "    contents: --content shows those of objects that are not leaked\n");
		return;
	}
	print_rows(report, show, 0, MIN(bytes, SHOWN_BYTES));
	if (!show->has_offset || show->offset < SHOWN_BYTES ||
	    show->offset >= bytes)
		return;
	row = align_down(show->offset, HEX_ROW_BYTES);
	bytes = MIN(bytes - row, 2 * HEX_ROW_BYTES);
	if (row > SHOWN_BYTES)
		writer_puts(&report->writer, "    ...\n");
	/* So much of it is in a snapshot. */
	if (row + bytes > CONTENT_BYTES && !report->options.content)
		writer_printf(&report->writer,
			      "    contents: --content shows what lies behind the first %s\n",
			      BYTES(CONTENT_BYTES));
	else
		print_rows(report, show, row, bytes);
}

static void print_holders(struct report *report, struct show *show)
{
	struct writer *w = &report->writer;
	uint64_t n;
	unsigned i;

	show_find_holders(report, show);
	n = show->n_holders + show->n_leaked_holders;
	if (!n) {
		writer_puts(w, "  no word refers to it\n");
		return;
	}
	writer_printf(w, "  %s to it", COUNT_OF(n, "reference"));
	if (show->n_leaked_holders)
		writer_printf(w, ", of which %s from leaked memory",
			      COUNT(show->n_leaked_holders));
	writer_puts(w, ":\n");
	for (i = 0; i < MIN(n, SHOW_HOLDERS); i++) {
		const struct show_holder *holder = &show->holders[i];
		char text[PLACE_BYTES];
		uint32_t id;
		uint64_t va;

		place_holder(report, holder->source, holder->word, &id, &va,
			     text);
		writer_printf(w, "    %s%s%s\n", text, holder_how(holder->how),
			      i >= show->n_holders ? ", leaked itself" : "");
	}
	if (n > SHOW_HOLDERS)
		writer_printf(w, "    and %s more\n", COUNT(n - SHOW_HOLDERS));
}

static void print_verdict(struct report *report, const struct show *show)
{
	const struct leaks *leaks = &report->analysis->leaks;
	const struct object *object = &show->object;
	struct writer *w = &report->writer;
	uint32_t n;

	switch (show->verdict) {
	case SHOW_ROOT:
		writer_printf(w, "leaked (white): a leak of its own, of the group with fingerprint %016" PRIx64,
			      leaks->groups[leaks->leaks[show->leak].group]
				      .fingerprint);
		n = object_cycle(object, &leaks->leaks[show->leak]);
		if (n > 1)
			writer_printf(w, ", in a cycle of %s",
				      COUNT_OF(n, "object"));
		break;
	case SHOW_FOLLOWER:
		writer_printf(w, "leaked (white): behind the leak 0x%016" PRIx64,
			      heap_object_va(report->heap,
					     leaks->leaks[show->leak].id));
		break;
	case SHOW_EXCUSED:
		writer_puts(w, "not a leak, as a rule or the baseline says (gray)");
		break;
	case SHOW_IGNORED:
		writer_puts(w, "ignored and not scanned, as a rule says (black)");
		break;
	case SHOW_DOUBT:
		writer_puts(w, "in doubt: not reported, and what it refers to is held (gray)");
		break;
	case SHOW_HELD:
		writer_puts(w, object->region->flags & HEAP_ROOT ?
				       "in use by definition (gray)" :
				       "held (gray)");
		break;
	default:
		writer_puts(w, "not allocated");
	}
	writer_puts(w, "\n");
}

static void print_object(struct report *report, const struct show *show)
{
	const struct object *object = &show->object;
	struct writer *w = &report->writer;
	char text[SYMBOL_BYTES_MAX], sentence[TYPE_SENTENCE_BYTES];

	object_detail(report, object, text);
	writer_printf(w, "  %s 0x%016" PRIx64 ", %s%s%s", object_family(object),
		      object->va, BYTES(object->bytes), text[0] ? ", " : "",
		      text);
	if (show->has_offset)
		writer_printf(w, ", at its byte %s (0x%" PRIx64 ")",
			      COUNT(show->offset), show->offset);
	else
		writer_puts(w, holder_how(show->how));
	if (show->cpu >= 0)
		writer_printf(w, " on CPU %d", show->cpu);
	writer_printf(w, "\n  %s: ", show->state);
	print_verdict(report, show);
	if (show->place[0])
		writer_printf(w, "  %s\n", show->place);
	if (type_sentence(report, show->id, sentence))
		writer_printf(w, "  %s\n", sentence);
	text_show_sites(report, object);
}

/* Line by line, indented. */
static void print_lines(struct writer *w, const char *text)
{
	size_t n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		writer_printf(w, "    %.*s\n", (int)n, text);
	}
}

static void print_as_c(struct report *report, const struct show *show)
{
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_free_ char *text = NULL;
	char type[TYPE_BYTES];

	if (!type_format(report, show->id, type) || strchr(type, '['))
		return;
	error = lines_format(report->analysis->lines, type, show->object.va,
			     &text);
	if (error)
		writer_printf(&report->writer, "    not as C: %s\n",
			      kml_error_message(error));
	else
		print_lines(&report->writer, text);
}

static void show_text_head(struct report *report, const struct show *show)
{
	const struct kernel_task *task = show->task;
	struct writer *w = &report->writer;

	writer_printf(w, "0x%016" PRIx64 "\n", show->address);
	if (show->id != HEAP_NONE)
		print_object(report, show);
	else
		writer_printf(w, "  no object: %s\n", show->place);
	if (task)
		writer_printf(w, "  on the stack of %s, pid %" PRIu32 ", %s its stack pointer 0x%016" PRIx64 "\n",
			      task->comm, task->pid,
			      show->address < task->sp ? "below" :
							 "at or above",
			      task->sp);
}

void show_text_addresses(struct report *report, show_text_fn *facts, void *arg)
{
	size_t i;

	for (i = 0; i < report->options.n_addresses; i++) {
		struct show show;

		show_find_object(report, report->options.addresses[i], &show);
		if (i)
			writer_puts(&report->writer, "\n");
		show_text_head(report, &show);
		if (show.id != HEAP_NONE)
			facts(report, &show, arg);
	}
}

static void print_facts(struct report *report, struct show *show, void *arg)
{
	(void)arg;
	print_holders(report, show);
	if (!report->options.no_content)
		print_content(report, show);
	if (report->options.as_c)
		print_as_c(report, show);
}

void report_show_text(struct report *report)
{
	if (!lookup_leaks(report) || !lookup_references(report))
		return;
	show_text_addresses(report, print_facts, NULL);
	if (kml_partial(report->analysis))
		writer_puts(&report->writer,
			    "\nThe verdict is PARTIAL: something that it needs could not be read.\n");
}
