// SPDX-License-Identifier: GPL-2.0-or-later
/* Who allocated it, as JSON. */
#include "report/json_common.h"
#include "report/site.h"

static void json_tag(struct json *json, const struct alloc_tag *tag)
{
	json_object_line(json, "tag");
	json_address(json, "address", tag->va);
	json_string(json, "function", tag->function[0] ? tag->function : NULL);
	json_string(json, "file", tag->file[0] ? tag->file : NULL);
	json_number(json, "line", tag->line);
	json_string(json, "module", tag->module[0] ? tag->module : NULL);
	json_bool(json, "module_gone", tag->gone);
	json_bool(json, "from_log", tag->from_log);
	json_end(json);
}

/* @lines: source lines as well. */
static void json_stack(struct json *json, struct report *report,
		       const struct site *site, bool lines)
{
	const struct lines_frame *frames;
	char symbol[SYMBOL_BYTES_MAX];
	size_t i, n;

	json_array(json, "stack");
	for (i = 0; i < site->n_frames; i++) {
		object_code_symbol(report, site->frames[i], symbol);
		if (lines)
			json_object(json, NULL);
		else
			json_object_line(json, NULL);
		json_address(json, "address", site->frames[i]);
		json_string(json, "symbol", symbol);
		if (lines) {
			n = object_lines(report, site->frames[i], true,
					 &frames);
			json_frames(json, "frames", frames, n);
		}
		json_end(json);
	}
	json_end(json);
}

static void json_site(struct json *json, struct report *report,
		      const char *key, const struct site *site, bool lines)
{
	char where[SITE_WHERE_BYTES];

	json_object(json, key);
	json_string(json, "source", site_source_words[site->source]);
	if (site->has_tag || site->n_frames) {
		site_where(report, site, where);
		json_string(json, "where", where);
	} else {
		json_null(json, "where");
	}
	if (site->has_tag)
		json_tag(json, &site->tag);
	if (site->n_frames)
		json_number(json, "frame", site->first);
	json_stack(json, report, site, lines);
	json_string(json, "comm", site->comm[0] ? site->comm : NULL);
	if (site->has_pid)
		json_number(json, "pid", site->pid);
	if (site->has_cpu)
		json_number(json, "cpu", site->cpu);
	if (site->has_age)
		json_seconds(json, "age_seconds", (double)site->age_ms / 1000);
	json_end(json);
}

void json_group_site(struct json *json, struct report *report,
		     const struct leak_group *group)
{
	const struct leak *first =
		&report->analysis->leaks.leaks[group->first_leak];
	struct object_sites known;

	object_sites_find(report, first->id, &known);
	if (known.where)
		json_site(json, report, "site", known.where, true);
	else
		json_null(json, "site");
}

static void json_memcg(struct json *json, const struct memcg *memcg)
{
	if (!memcg) {
		json_null(json, "memory_cgroup");
		return;
	}
	json_object_line(json, "memory_cgroup");
	json_address(json, "address", memcg->va);
	json_number(json, "id", memcg->id);
	json_string(json, "path", memcg->path[0] ? memcg->path : NULL);
	json_bool(json, "deleted", memcg->deleted);
	json_end(json);
}

void json_object_sites(struct json *json, struct report *report, uint32_t id)
{
	struct object_sites known;
	size_t i;

	object_sites_find(report, id, &known);
	json_array(json, "sites");
	for (i = 0; i < known.n; i++)
		json_site(json, report, NULL, &known.sites[i], false);
	json_end(json);
	json_memcg(json, object_memcg(report, id));
}
