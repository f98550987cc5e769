// SPDX-License-Identifier: GPL-2.0-or-later
/* Who allocated it, for a person. */
#include <inttypes.h>
#include <string.h>

#include "kernel/gone.h"
#include "report/number.h"
#include "report/site.h"

#define MAX_OUTER_FRAMES 6u /* of a group; show has all */

static const char *verb(unsigned kind)
{
	return kind == HEAP_VMAP || kind == HEAP_IOREMAP ? "mapped" :
							   "allocated";
}

/* "in f at file.c:12", "called by g at file.c:30" for what was inlined. */
static size_t print_lines(struct report *report, uint64_t address,
			  const char *indent, const char *first)
{
	const struct lines_frame *frames;
	size_t n = object_lines(report, address, true, &frames), i;
	char text[512];

	if (n && !frames[0].function)
		return 0;
	for (i = 0; i < n; i++) {
		frame_format(&frames[i], text, sizeof(text));
		writer_printf(&report->writer, "%s%s %s%s\n", indent,
			      i ? "called by" : first, text,
			      frames[i].inlined ? " (inlined)" : "");
	}
	return n;
}

/* The frames behind the place: who called it. */
static void print_outer(struct report *report, const struct site *site,
			const char *indent, size_t max)
{
	char symbol[SYMBOL_BYTES_MAX];
	size_t i, n = 0;
	bool known;

	for (i = site->first + 1; i < site->n_frames && n < max; i++, n++) {
		if (print_lines(report, site->frames[i], indent, "called by"))
			continue;
		known = object_code_symbol(report, site->frames[i], symbol);
		writer_printf(&report->writer, "%scalled by %s%s\n", indent,
			      symbol,
			      !known && kernel_is_gone(report->kernel,
						       site->frames[i]) ?
				      ", init code of a module, or of one that is gone" :
				      "");
	}
	if (i < site->n_frames)
		writer_printf(&report->writer, "%sand %s more\n", indent,
			      COUNT_OF(site->n_frames - i, "frame"));
}

static void print_where(struct report *report, const struct site *site,
			unsigned kind, const char *indent)
{
	char where[SITE_WHERE_BYTES];

	site_where(report, site, where);
	writer_printf(&report->writer, "%s%s by %s (%s)\n", indent, verb(kind),
		      where, site_source_names[site->source]);
}

void text_group_site(struct report *report, const struct leak_group *group)
{
	const struct leak *first =
		&report->analysis->leaks.leaks[group->first_leak];
	struct object_sites known;

	object_sites_find(report, first->id, &known);
	if (!known.where)
		return;
	print_where(report, known.where, group->kind, "    ");
	if (!known.where->n_frames)
		return;
	print_lines(report, known.where->frames[known.where->first], "      ",
		    "in");
	print_outer(report, known.where, "      ", MAX_OUTER_FRAMES);
}

static void print_when(struct report *report, const struct object_sites *known,
		       unsigned kind, const char *indent)
{
	struct writer *w = &report->writer;
	char who[SITE_WHO_BYTES] = "";

	if (!known->when && !known->who)
		return;
	writer_printf(w, "%s%s", indent, verb(kind));
	if (known->when)
		writer_printf(w, " %" PRIu64 ".%" PRIu64 " s before the dump",
			      known->when->age_ms / 1000,
			      known->when->age_ms % 1000 / 100);
	if (known->who)
		site_who(known->who, who);
	writer_printf(w, "%s%s\n", who[0] ? " by " : "", who);
}

static void print_memcg(struct report *report, uint32_t id, const char *indent)
{
	const struct memcg *memcg = object_memcg(report, id);

	if (!memcg)
		return;
	writer_printf(&report->writer, "%scharged to memory cgroup ", indent);
	if (memcg->path[0])
		writer_printf(&report->writer, "%s", memcg->path);
	else
		writer_printf(&report->writer, "0x%016" PRIx64, memcg->va);
	writer_puts(&report->writer, memcg->deleted ? " (deleted)\n" : "\n");
}

void text_leak_site(struct report *report, const struct object *object)
{
	struct object_sites known;

	object_sites_find(report, object->id, &known);
	print_when(report, &known, object->kind, "      ");
	print_memcg(report, object->id, "      ");
}

void text_show_sites(struct report *report, const struct object *object)
{
	struct object_sites known;
	size_t i;

	object_sites_find(report, object->id, &known);
	for (i = 0; i < known.n; i++) {
		const struct site *site = &known.sites[i];

		if (!site->has_tag && !site->n_frames)
			continue;
		print_where(report, site, object->kind, "  ");
		if (!site->n_frames)
			continue;
		print_lines(report, site->frames[site->first], "    ", "in");
		print_outer(report, site, "    ", SIZE_MAX);
	}
	print_when(report, &known, object->kind, "  ");
	print_memcg(report, object->id, "  ");
}
