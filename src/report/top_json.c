// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/top.h"

#include <stdlib.h>

#include "base/util.h"
#include "report/json_common.h"

static const char *const point_kinds[] = {
	[ACCUMULATION_HELD] = "held",
	[ACCUMULATION_OBJECT] = "object",
	[ACCUMULATION_SHARED] = "shared",
};

static void json_sum(struct json *json, const char *key, uint64_t rows,
		     uint64_t objects, uint64_t bytes)
{
	json_object_line(json, key);
	if (rows != UINT64_MAX)
		json_number(json, "rows", rows);
	json_number(json, "objects", objects);
	json_number(json, "bytes", bytes);
	json_end(json);
}

static void json_rows(struct json *json, const struct top *top,
		      const struct top_table *table,
		      const struct top_count *count)
{
	size_t n = top_limit(top->report, count->rows.size), i;
	uint64_t objects = 0, bytes = 0;
	char name[TOP_NAME_BYTES];

	json_array(json, "rows");
	for (i = 0; i < n; i++) {
		const struct top_row *row = &count->rows.data[i];

		table->format(top, row->key, name);
		json_object_line(json, NULL);
		json_string(json, "name", name);
		json_number(json, "objects", row->objects);
		json_number(json, "bytes", row->bytes);
		json_end(json);
	}
	json_end(json);
	for (; i < count->rows.size; i++) {
		objects += count->rows.data[i].objects;
		bytes += count->rows.data[i].bytes;
	}
	json_sum(json, "omitted", count->rows.size - n, objects, bytes);
	json_sum(json, "unknown", UINT64_MAX, count->unknown_objects,
		 count->unknown_bytes);
}

static void json_tables(struct json *json, const struct top *top)
{
	struct top_count counts[TOP_TABLES];
	size_t i;

	json_array(json, "tables");
	if (!top_count(top, counts))
		return;
	for (i = 0; i < TOP_TABLES; i++) {
		if (!top_wants(top->report, top_tables[i].bit))
			continue;
		json_object(json, NULL);
		json_string(json, "by", top_tables[i].name);
		json_rows(json, top, &top_tables[i], &counts[i]);
		json_end(json);
	}
	json_end(json);
	top_count_deinit(counts);
}

/* ---- accumulation points */

static void json_holder(struct json *json, const struct top *top,
			const struct anchor *holder)
{
	const struct anchors *h = &top->holdings->holders;
	const char *module = anchor_name(h, holder->module);
	bool cpu = holder->kind == ANCHOR_PERCPU ||
		   holder->kind == ANCHOR_IRQ_STACK ||
		   holder->kind == ANCHOR_REGISTERS;

	json_string(json, "holder", anchor_kinds[holder->kind]);
	json_string(json, "name", anchor_name(h, holder->name));
	if (*module)
		json_string(json, "module", module);
	if (cpu)
		json_number(json, "cpu", holder->owner);
	if (holder->kind == ANCHOR_STACK)
		json_number(json, "pid",
			    top->report->kernel->tasks.data[holder->owner].pid);
	if (holder->va)
		json_address(json, "address", holder->va);
}

static void json_word(struct json *json, const char *key, const struct top *top,
		      const struct accumulation_word *word)
{
	const struct holdings *h = top->holdings;

	json_object_line(json, key);
	if (holdings_is_object(h, word->node)) {
		const struct object object = object_of(top->report, word->node);

		json_object_members(json, top->report, &object);
	} else {
		json_holder(json, top,
			    &h->holders.list.data[word->node - h->n_objects]);
	}
	if (word->offset != ANCHOR_NO_OFFSET)
		json_number(json, "offset", word->offset);
	json_end(json);
}

static void json_words(struct json *json, const char *key,
		       const struct top *top,
		       const struct accumulation_word *words, uint32_t n)
{
	uint32_t i;

	json_array(json, key);
	for (i = 0; i < n; i++)
		json_word(json, NULL, top, &words[i]);
	json_end(json);
}

static void json_point(struct json *json, const struct top *top,
		       const struct accumulation *point)
{
	const struct accumulations *found = &top->holdings->accumulations;
	char name[TOP_NAME_BYTES];
	uint32_t i;

	json_object(json, NULL);
	json_string(json, "kind", point_kinds[point->kind]);
	json_number(json, "objects", point->objects);
	json_number(json, "bytes", point->bytes);
	json_number(json, "children", point->n_children);
	json_number(json, "chain", point->n_chain);
	json_number(json, "outside_references", point->n_outside);
	json_bool(json, "list_head", point->is_list);
	json_number(json, "omitted_steps", point->n_omitted);
	json_words(json, "steps", top, point->steps, point->n_steps);
	json_words(json, "held_by", top, point->ways, point->n_ways);
	json_array(json, "of_which");
	for (i = 0; i < point->n_families; i++) {
		const struct accumulation_family *family =
			&found->families.data[point->first_family + i];

		top_format_family(top, family, name);
		json_object_line(json, NULL);
		json_string(json, "name", name);
		json_string(json, "kind", object_kinds[family->kind]);
		if (family->kind == HEAP_SLAB)
			json_string(json, "cache",
				    top->report->kernel->caches
					    .data[family->cache].name);
		json_number(json, "objects", family->objects);
		json_number(json, "bytes", family->bytes);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void json_points(struct json *json, const struct top *top)
{
	const struct accumulations *found = &top->holdings->accumulations;
	size_t n = top_limit(top->report, found->points.size), i;
	uint64_t objects = found->omitted_objects, bytes = found->omitted_bytes;

	json_object(json, "accumulation");
	json_array(json, "points");
	for (i = 0; i < n; i++)
		json_point(json, top, &found->points.data[i]);
	json_end(json);
	for (; i < found->points.size; i++) {
		objects += found->points.data[i].objects;
		bytes += found->points.data[i].bytes;
	}
	json_sum(json, "omitted",
		 found->points.size - n + found->n_omitted, objects, bytes);
	json_end(json);
}

void report_top_json(struct report *report)
{
	const struct holdings *h = &report->analysis->holdings;
	struct json json;
	struct top top;

	if (!top_init(&top, report))
		return;
	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "top");
	json_gaps(&json, report);
	json_sum(&json, "live", UINT64_MAX, h->objects, h->bytes);
	json_tables(&json, &top);
	if (top_wants(report, KML_TOP_ACCUMULATION))
		json_points(&json, &top);
	json_end(&json);
	top_deinit(&top);
}
