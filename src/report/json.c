// SPDX-License-Identifier: GPL-2.0-or-later
/* The leaks as JSON: schema/kmlanalyze.schema.json. */
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "leak/fingerprint.h"
#include "report/content.h"
#include "report/holds.h"
#include "leak/trust.h"
#include "report/json_common.h"
#include "report/refcounts.h"
#include "report/site.h"
#include "report/source.h"
#include "report/stacks.h"
#include "report/summary.h"
#include "report/type.h"

#define MAX_POINTERS 16u
#define MAX_HOLDS 16u
#define MAX_DISREGARDED 16u

static void json_totals(struct json *json, const struct report *report)
{
	struct object_totals totals;
	unsigned kind, state;

	analysis_totals(report->analysis, &totals);
	json_object(json, "objects");
	for (kind = 0; kind < HEAP_KINDS; kind++) {
		json_object(json, object_kinds[kind]);
		for (state = 0; state < OBJECT_STATES; state++) {
			json_object_line(json, object_states[state]);
			json_number(json, "objects",
				    totals.objects[kind][state]);
			json_number(json, "bytes", totals.bytes[kind][state]);
			json_end(json);
		}
		json_end(json);
	}
	json_end(json);
}

static void json_caller(struct json *json, struct report *report,
			uint64_t caller)
{
	const struct lines_frame *frames;
	char symbol[SYMBOL_BYTES_MAX];
	size_t n;

	if (!caller) {
		json_null(json, "caller");
		return;
	}
	object_code_symbol(report, caller, symbol);
	n = object_lines(report, caller, true, &frames);
	json_object(json, "caller");
	json_address(json, "address", caller);
	json_string(json, "symbol", symbol);
	json_frames(json, "frames", frames, n);
	json_end(json);
}

static void json_pointers(struct json *json, struct report *report,
			  const struct content *content)
{
	struct content_pointer pointers[MAX_POINTERS];
	size_t n = content_pointers(report, content, pointers, MAX_POINTERS), i;

	json_array(json, "pointers");
	for (i = 0; i < n; i++) {
		json_object_line(json, NULL);
		json_number(json, "offset", pointers[i].offset);
		json_string(json, "symbol", pointers[i].symbol);
		json_end(json);
	}
	json_end(json);
}

/* "content", "text" and "pointers". */
static void json_content(struct json *json, struct report *report,
			 const struct object *object)
{
	struct content content;
	char hex[2 * CONTENT_SHOWN + 1] = "";
	size_t i;

	content_read(report, object, CONTENT_BYTES, &content);
	for (i = 0; i < MIN(content.bytes, CONTENT_SHOWN); i++) {
		hex[2 * i] = "0123456789abcdef"[content.data[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[content.data[i] & 15];
	}
	json_string(json, "content", content.readable ? hex : NULL);
	json_string(json, "text", content_text(&content));
	json_pointers(json, report, &content);
}

static void json_holds(struct json *json, const struct report *report,
		       const struct object *object)
{
	struct hold holds[MAX_HOLDS];
	size_t n = holds_find(report, object, holds, MAX_HOLDS), i;

	json_array(json, "refers_to");
	for (i = 0; i < n; i++) {
		json_object_line(json, NULL);
		json_number(json, "offset", holds[i].offset);
		json_object_members(json, report, &holds[i].object);
		json_end(json);
	}
	json_end(json);
}

static void json_followers(struct json *json, const struct report *report,
			   const struct leak *leak)
{
	const uint32_t *ids = report->analysis->leaks.followers +
			      leak->first_follower;
	uint32_t i;

	json_array(json, "followers");
	for (i = 0; i < leak->n_followers; i++) {
		const struct object object = object_of(report, ids[i]);

		json_object_line(json, NULL);
		json_object_members(json, report, &object);
		json_end(json);
	}
	json_end(json);
}

static void json_trust(struct json *json, struct report *report,
		       const struct object *object)
{
	static const char *const levels[] = { "high", "medium", "low" };
	const struct kml_analysis *analysis = report->analysis;
	unsigned reasons = trust_reasons(report->kernel, &analysis->graph,
					 analysis->reached, object->id);
	const struct graph_disregarded *words[MAX_DISREGARDED];
	size_t n = source_disregarded(report, object->id, words,
				      MAX_DISREGARDED), i;
	char place[PLACE_BYTES];
	uint32_t id;
	uint64_t va;

	json_string(json, "trust", levels[trust_of(reasons)]);
	json_bool(json, "extent_inferred", reasons & TRUST_GUESSED);
	json_array(json, "disregarded");
	for (i = 0; i < n; i++) {
		place_holder(report, words[i]->from, words[i]->word, &id, &va,
			     place);
		json_object_line(json, NULL);
		json_string(json, "in", place);
		json_string(json, "taken_for",
			    source_disregards[words[i]->why]);
		json_end(json);
	}
	json_end(json);
}

static void json_leak(struct json *json, struct report *report,
		      const struct leak *leak)
{
	const struct object object = object_of(report, leak->id);
	bool is_large = object.region->flags & HEAP_LARGE;
	char pages[OBJECT_DETAIL_BYTES], detail[OBJECT_DETAIL_BYTES + 32];
	struct kernel_track track;
	uint64_t age;

	object_detail(report, &object, pages);
	snprintf(detail, sizeof(detail), "%s%s",
		 is_large ? "large kmalloc, " : "", pages);
	json_object(json, NULL);
	json_object_members(json, report, &object);
	json_string(json, "detail", detail[0] ? detail : NULL);
	type_json(json, report, leak->id);
	if (ages_find(&report->analysis->user.ages, leak->id, &age))
		json_seconds(json, "age_seconds", (double)age / 1000);
	else
		json_null(json, "age_seconds");
	if (object_track(report, &object, &track))
		json_number(json, "pid", track.pid);
	json_object_sites(json, report, leak->id);
	json_string(json, "verdict", leak_verdicts[leak->verdict]);
	json_number(json, "cycle_objects", object_cycle(&object, leak));
	json_trust(json, report, &object);
	if (!report->options.no_content)
		json_content(json, report, &object);
	json_holds(json, report, &object);
	json_number(json, "follower_bytes", leak->follower_bytes);
	json_followers(json, report, leak);
	json_end(json);
}

static void json_group(struct json *json, struct report *report,
		       const struct leak_group *group)
{
	const struct leaks *leaks = &report->analysis->leaks;
	const struct object first =
		object_of(report, leaks->leaks[group->first_leak].id);
	uint64_t limit = report->options.limit;
	char fingerprint[FINGERPRINT_DIGITS + 1], type[TYPE_BYTES];
	uint32_t n = group->n_leaks, i;

	if (limit && limit < n)
		n = (uint32_t)limit;
	json_object(json, NULL);
	json_string(json, "kind", object_kinds[group->kind]);
	json_string(json, "cache", first.cache);
	if (group->type) {
		type_format_number(&report->analysis->infer.types, group->type,
				   type);
		json_string(json, "type_name", type);
	}
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64,
		 group->fingerprint);
	json_string(json, "fingerprint", fingerprint);
	if (user_known_leaks(&report->analysis->user, group->fingerprint))
		json_number(json, "baseline_leaks",
			    user_known_leaks(&report->analysis->user,
					     group->fingerprint));
	json_number(json, "object_bytes", group->object_bytes);
	json_number(json, "leak_count", group->n_leaks);
	json_number(json, "bytes", group->bytes);
	json_number(json, "follower_count", group->n_followers);
	json_number(json, "follower_bytes", group->follower_bytes);
	json_caller(json, report, group->caller);
	json_group_site(json, report, group);
	json_array(json, "leaks");
	for (i = 0; i < n; i++)
		json_leak(json, report, &leaks->leaks[group->first_leak + i]);
	json_end(json);
	json_number(json, "omitted", group->n_leaks - n);
	json_end(json);
}

static void json_leaks(struct json *json, struct report *report)
{
	const struct leaks *leaks = &report->analysis->leaks;
	uint32_t i;

	json_object(json, "leaks");
	json_number(json, "leak_count", leaks->n_leaks);
	json_number(json, "object_count", leaks->n_objects);
	json_number(json, "bytes", leaks->bytes);
	for (i = 0; i < LEAK_VERDICTS; i++)
		json_number(json, leak_verdicts[i], leaks->n_by_verdict[i]);
	json_number(json, "indirect", leaks->n_followers);
	json_array(json, "groups");
	for (i = 0; i < leaks->n_groups; i++)
		json_group(json, report, &leaks->groups[i]);
	json_end(json);
	json_end(json);
}

static void json_frame(struct json *json, struct report *report,
		       const struct stack_slot *slot)
{
	char symbol[SYMBOL_BYTES_MAX];

	if (!slot->frame) {
		json_null(json, "frame");
		json_string(json, "why_no_frame", slot->why_not);
		return;
	}
	object_code_symbol(report, slot->frame->pc, symbol);
	json_object(json, "frame");
	json_address(json, "address", slot->frame->pc);
	json_string(json, "symbol", symbol);
	json_frames(json, "frames", slot->frame->frames, slot->frame->n_frames);
	json_end(json);
	json_null(json, "why_no_frame");
}

static void json_held_object(struct json *json, struct report *report,
			     struct stacks *stacks, const struct held *held)
{
	const struct object object = object_of(report, held->id);
	const struct kernel_task *task =
		&report->kernel->tasks.data[held->task];
	const struct stack_slot slot = stacks_find(stacks, held);

	json_object(json, NULL);
	json_object_members(json, report, &object);
	json_object_line(json, "task");
	json_string(json, "comm", task->comm);
	json_number(json, "pid", task->pid);
	json_address(json, "address", task->va);
	json_end(json);
	json_address(json, "slot", held->slot_va);
	json_frame(json, report, &slot);
	json_end(json);
}

/* The list itself takes unwinding, so it has to be asked for. */
static void json_held(struct json *json, struct report *report)
{
	const struct held_list *list = &report->analysis->held;
	struct stacks *stacks;
	uint32_t i;

	json_object(json, "held_by_stack");
	json_number(json, "object_count", list->n_objects);
	json_number(json, "bytes", list->bytes);
	if (report->analysis->options.held_by_stack) {
		stacks = stacks_create(report);
		json_array(json, "objects");
		for (i = 0; stacks && i < list->n_held; i++)
			json_held_object(json, report, stacks, &list->held[i]);
		json_end(json);
		stacks_destroy(stacks);
	}
	json_end(json);
}

static void json_precise(struct json *json, struct report *report)
{
	const struct graph_statistics *s = &report->analysis->graph.statistics;

	if (!report->analysis->options.precise)
		return;
	json_object_line(json, "precise");
	json_number(json, "typed_caches", s->typed_caches);
	json_number(json, "disregarded_words", s->integers);
	json_end(json);
}

static void json_blind_holder(struct json *json, struct report *report,
			      const struct blind_holder *holder)
{
	char name[PLACE_BYTES];

	source_format(report, holder, name);
	json_object_line(json, NULL);
	json_string(json, "where", name);
	json_string(json, "as", source_how[holder->how]);
	json_number(json, "objects", holder->n_free);
	json_number(json, "alone", holder->n_alone);
	json_end(json);
}

static void json_blind(struct json *json, struct report *report)
{
	const struct blind *blind = &report->analysis->blind;
	uint32_t i;

	json_object(json, "blind");
	json_number(json, "free_objects", blind->n_free);
	json_number(json, "referenced", blind->n_referenced);
	if (report->analysis->options.blind) {
		json_array(json, "holders");
		for (i = 0; i < blind->n_holders; i++)
			json_blind_holder(json, report, &blind->holders[i]);
		json_end(json);
		json_number(json, "omitted", blind->n_omitted);
	}
	json_end(json);
}

void report_json(struct report *report)
{
	struct json json;

	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "leaks");
	json_gaps(&json, report);
	json_totals(&json, report);
	json_user(&json, report);
	json_leaks(&json, report);
	if (report->analysis->inferred)
		json_refcounts(&json, report);
	json_held(&json, report);
	json_blind(&json, report);
	json_precise(&json, report);
	/* Behind what asks for source lines: known only then. */
	json_string(&json, "why_no_source_lines",
		    summary_why_no_lines(report->analysis));
	if (report->options.statistics)
		json_statistics(&json, report);
	json_end(&json);
}
