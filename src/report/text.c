// SPDX-License-Identifier: GPL-2.0-or-later
/* The report for a person: a summary, then the leaks, the largest first. */
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "report/content.h"
#include "report/followers.h"
#include "report/holds.h"
#include "report/number.h"
#include "report/object.h"
#include "report/refcounts.h"
#include "report/site.h"
#include "report/source.h"
#include "report/summary.h"
#include "report/type.h"

#define MAX_FAMILIES 5u
#define MAX_POINTERS 6u
#define MAX_HOLDS 4u
#define MAX_DISREGARDED 4u

/* ---- what is known of one object */

static bool is_zero(const struct content *content)
{
	size_t i = 0;

	while (i < content->bytes && !content->data[i])
		i++;
	return i == content->bytes;
}

static void print_hex_dump(struct report *report, const struct object *object,
			   const struct content *content)
{
	struct writer *w = &report->writer;
	size_t shown = MIN(content->bytes, CONTENT_SHOWN), i;
	char row[72];

	if (is_zero(content)) {
		writer_printf(w, "      its %s%s %s zero\n",
			      content->bytes < object->bytes ? "first " : "",
			      BYTES(content->bytes),
			      content->bytes == 1 ? "is" : "are");
		return;
	}
	writer_printf(w, "      hex dump (first %zu bytes", shown);
	if (content->cpu >= 0)
		writer_printf(w, " on CPU %d", content->cpu);
	writer_puts(w, "):\n");
	for (i = 0; i < shown; i += HEX_ROW_BYTES) {
		content_hex_row(content->data + i,
				MIN(shown - i, HEX_ROW_BYTES), row);
		writer_printf(w, "        %s\n", row);
	}
}

/* "+0x10 -> task_struct 0xffff..., live" */
static void print_holds(struct report *report, const struct object *object)
{
	struct hold holds[MAX_HOLDS];
	size_t n = holds_find(report, object, holds, MAX_HOLDS), i;

	for (i = 0; i < n; i++)
		writer_printf(&report->writer,
			      "      +0x%" PRIx64 " -> %s 0x%016" PRIx64 ", live\n",
			      holds[i].offset, object_family(&holds[i].object),
			      holds[i].object.va);
}

static void print_content(struct report *report, const struct object *object)
{
	struct writer *w = &report->writer;
	struct content_pointer pointers[MAX_POINTERS];
	struct content content;
	const char *text;
	size_t n, i;

	content_read(report, object, CONTENT_BYTES, &content);
	if (!content.readable) {
		writer_puts(w, "      its contents are not in the dump\n");
		return;
	}
	print_hex_dump(report, object, &content);
	text = content_text(&content);
	if (text)
		writer_printf(w, "      starts with the text \"%.60s%s\"\n",
			      text, strlen(text) > 60 ? "..." : "");
	n = content_pointers(report, &content, pointers, MAX_POINTERS);
	for (i = 0; i < n; i++)
		writer_printf(w, "      +0x%" PRIx32 " -> %s\n",
			      pointers[i].offset, pointers[i].symbol);
}

/* "12 x kmalloc-64, 5 x kmalloc-32" */
static void print_families(struct report *report, const struct leak *leak)
{
	struct follower_family families[MAX_FAMILIES];
	struct writer *w = &report->writer;
	char name[TYPE_FAMILY_BYTES];
	size_t n_all, n, i;

	n = followers_fold(report, leak, families, MAX_FAMILIES, &n_all);
	for (i = 0; i < n; i++) {
		const struct object object =
			object_of(report, families[i].example);

		type_family(report, &object, name);
		writer_printf(w, "%s%s x %s", i ? ", " : ": ",
			      COUNT(families[i].n), name);
	}
	if (n < n_all)
		writer_printf(w, ", and %s more", COUNT_OF(n_all - n, "kind"));
}

/* What was seen of it and does not count. */
static void print_disregarded(struct report *report,
			      const struct object *object)
{
	const struct graph_disregarded *words[MAX_DISREGARDED];
	size_t n = source_disregarded(report, object->id, words,
				      MAX_DISREGARDED), i;
	char place[PLACE_BYTES];
	uint32_t id;
	uint64_t va;

	for (i = 0; i < n; i++) {
		place_holder(report, words[i]->from, words[i]->word, &id, &va,
			     place);
		writer_printf(&report->writer, "      disregarded: %s in %s\n",
			      source_disregards[words[i]->why], place);
	}
}

static void print_type(struct report *report, uint32_t id, const char *indent)
{
	char text[TYPE_SENTENCE_BYTES];

	if (type_sentence(report, id, text))
		writer_printf(&report->writer, "%s%s\n", indent, text);
}

static void print_leak(struct report *report, const struct leak *leak,
		       bool with_type)
{
	const struct object object = object_of(report, leak->id);
	struct writer *w = &report->writer;
	char detail[OBJECT_DETAIL_BYTES];

	object_detail(report, &object, detail);
	writer_printf(w, "\n    0x%016" PRIx64 "  %s  %s%s%s\n", object.va,
		      BYTES(object.bytes), object_family(&object),
		      detail[0] ? ", " : "", detail);
	if (with_type)
		print_type(report, leak->id, "      ");
	text_leak_site(report, &object);
	if (leak->verdict == LEAK_POSSIBLE)
		writer_printf(w, "      possible: %s\n",
			      kml_partial(report->analysis) ?
				      "what may hold it could not be read" :
				      "a word that equals its address was disregarded, see below");
	if (object_cycle(&object, leak) > 1)
		writer_printf(w, "      one of %s objects that refer to each other in a cycle, to which nothing else refers\n",
			      COUNT(object_cycle(&object, leak)));
	if (leak->n_followers) {
		writer_printf(w, "      and %s behind it, %s",
			      COUNT_OF(leak->n_followers, "object"),
			      BYTES(leak->follower_bytes));
		print_families(report, leak);
		writer_puts(w, "\n");
	}
	if (!report->options.no_content)
		print_content(report, &object);
	print_holds(report, &object);
	print_disregarded(report, &object);
}

/* ---- groups */

/* "5 leaks of kmalloc-64 (64 bytes each): 320 bytes direct, 1,048 bytes
 * indirect in 12 objects" */
static void print_group_header(struct report *report, uint32_t number,
			       const struct leak_group *group)
{
	const struct leaks *leaks = &report->analysis->leaks;
	const struct object first =
		object_of(report, leaks->leaks[group->first_leak].id);
	struct writer *w = &report->writer;
	bool several = group->n_leaks > 1;
	char type[TYPE_BYTES] = "";
	uint64_t known;

	if (group->type)
		type_format_number(&report->analysis->infer.types, group->type,
				   type);
	writer_printf(w, "\n%" PRIu32 ". %s of %s%s%s%s%s (%s%s): %s direct", number,
		      COUNT_OF(group->n_leaks, "leak"), type,
		      group->type ? " in " : "",
		      !first.cache && !several ? "a " : "",
		      object_family(&first), !first.cache && several ? "s" : "",
		      BYTES(group->object_bytes), several ? " each" : "",
		      BYTES(group->bytes));
	if (group->n_followers)
		writer_printf(w, ", %s indirect in %s",
			      BYTES(group->follower_bytes),
			      COUNT_OF(group->n_followers, "object"));
	writer_puts(w, "\n");
	writer_printf(w, "    fingerprint %016" PRIx64 "\n",
		      group->fingerprint);
	known = user_known_leaks(&report->analysis->user, group->fingerprint);
	if (known)
		writer_printf(w, "    the baseline, of another boot, has %s of these\n",
			      COUNT(known));
	text_group_site(report, group);
}

static void print_group(struct report *report, uint32_t g)
{
	const struct leaks *leaks = &report->analysis->leaks;
	const struct leak_group *group = &leaks->groups[g];
	uint64_t limit = report->options.limit;
	uint32_t i, n = group->n_leaks;
	bool common;

	if (limit && limit < n)
		n = (uint32_t)limit;
	print_group_header(report, g + 1, group);
	common = type_is_common(report, group);
	if (common)
		print_type(report, leaks->leaks[group->first_leak].id, "    ");
	for (i = 0; i < n; i++)
		print_leak(report, &leaks->leaks[group->first_leak + i],
			   !common);
	if (n < group->n_leaks)
		writer_printf(&report->writer, "\n    ... and %s more like %s\n",
			      COUNT(group->n_leaks - n),
			      n == 1 ? "it" : "these");
}

static void print_no_leaks(struct report *report)
{
	struct object_totals totals;
	uint64_t objects = 0, bytes = 0;
	unsigned kind;

	analysis_totals(report->analysis, &totals);
	for (kind = 0; kind < HEAP_KINDS; kind++) {
		objects += totals.objects[kind][OBJECT_LIVE];
		bytes += totals.bytes[kind][OBJECT_LIVE];
	}
	if (report->analysis->mark.excused)
		writer_printf(&report->writer,
			      "\nNo other leaks: each of the %s (%s) that are allocated can be reached, or is one of those that are not reported%s.\n",
			      COUNT_OF(objects, "object"), BYTES(bytes),
			      kml_partial(report->analysis) ?
				      ", as far as the dump can be read" :
				      "");
	else
		writer_printf(&report->writer,
		      "\nNo leaks: each of the %s (%s) that are allocated can be reached%s.\n",
		      COUNT_OF(objects, "object"), BYTES(bytes),
		      kml_partial(report->analysis) ?
			      ", as far as the dump can be read" :
			      "");
}

/* "880 definite, 13 in cycles, 3 possible; 556 objects are indirect" */
static void print_verdicts(struct report *report)
{
	const struct leaks *leaks = &report->analysis->leaks;
	struct writer *w = &report->writer;

	writer_printf(w, "  %s definite", COUNT(leaks->n_by_verdict[LEAK_DEFINITE]));
	if (leaks->n_by_verdict[LEAK_CYCLE])
		writer_printf(w, ", %s in cycles",
			      COUNT(leaks->n_by_verdict[LEAK_CYCLE]));
	if (leaks->n_by_verdict[LEAK_POSSIBLE])
		writer_printf(w, ", %s possible",
			      COUNT(leaks->n_by_verdict[LEAK_POSSIBLE]));
	if (leaks->n_followers)
		writer_printf(w, "; %s indirect",
			      COUNT_OF(leaks->n_followers, "object"));
	writer_puts(w, "\n");
}

static void print_leaks(struct report *report)
{
	const struct leaks *leaks = &report->analysis->leaks;
	uint32_t g;

	if (!leaks->n_objects) {
		print_no_leaks(report);
		return;
	}
	writer_printf(&report->writer, "\n%s: %s, %s in all\n",
		      COUNT_OF(leaks->n_leaks, "leak"),
		      COUNT_OF(leaks->n_objects, "object"),
		      BYTES(leaks->bytes));
	print_verdicts(report);
	for (g = 0; g < leaks->n_groups; g++)
		print_group(report, g);
}

static void print_why_not(struct report *report)
{
	const char *why = summary_why_no_lines(report->analysis);

	if (why)
		writer_printf(&report->writer,
			      "\nNo source lines, symbol+offset instead: %s\n",
			      why);
}

void report_text(struct report *report)
{
	text_summary(report);
	print_leaks(report);
	if (report->analysis->inferred)
		text_refcounts(report);
	if (report->analysis->options.held_by_stack)
		text_held(report);
	if (report->analysis->options.blind)
		text_blind(report);
	if (report->analysis->inferred &&
	    !report->analysis->infer.types.has_variables)
		writer_puts(&report->writer,
			    "\nFewer types than there could be: those of variables are in a vmlinux alone, which is not at hand.\n");
	print_why_not(report);
	if (report->options.statistics) {
		text_rules(report);
		text_statistics(report);
	}
}
