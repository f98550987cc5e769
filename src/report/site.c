// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/site.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "kernel/gone.h"

void object_sites_find(struct report *report, uint32_t id,
		       struct object_sites *ret)
{
	struct sites *sites = &report->analysis->sites;
	unsigned source;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	for (source = 0; source < SITE_SOURCES; source++)
		ret->n += sites_find(sites, id, source, &ret->sites[ret->n]);
	for (i = ret->n; i-- > 0;) {
		const struct site *site = &ret->sites[i];

		if (site_tells(site, true) && !ret->where)
			ret->where = site;
		if (site->n_frames)
			ret->stack = site;
		if (site->has_pid)
			ret->who = site;
		if (site->has_age)
			ret->when = site;
	}
	for (i = ret->n; i-- > 0;) {
		if (site_tells(&ret->sites[i], false))
			ret->where = &ret->sites[i];
	}
}

const struct memcg *object_memcg(struct report *report, uint32_t id)
{
	struct sites *sites = &report->analysis->sites;
	uint32_t index = sites_memcg(sites, id);

	return index == HEAP_NONE ? NULL : &sites->memcgs.data[index];
}

void site_who(const struct site *site, char ret[SITE_WHO_BYTES])
{
	char cpu[24] = "";

	if (site->has_cpu)
		snprintf(cpu, sizeof(cpu), " on CPU %" PRIu32, site->cpu);
	if (!site->has_pid)
		ret[0] = '\0';
	else if (site->comm[0])
		snprintf(ret, SITE_WHO_BYTES, "%s (pid %" PRIu32 ")%s",
			 site->comm, site->pid, cpu);
	else
		snprintf(ret, SITE_WHO_BYTES, "pid %" PRIu32 "%s", site->pid,
			 cpu);
}

/* ", in a module that is gone (of those that were unloaded the kernel
 * remembers kmlgone)"; code that a module runs once, when it is loaded, is gone
 * as well. */
static void gone_remark(struct report *report, const char *what, char *ret,
			size_t bytes)
{
	struct gone_modules gone;
	size_t used;
	unsigned i;

	gone_modules_read(report->kernel, &gone);
	used = (size_t)snprintf(ret, bytes, ", in %s", what);
	if (!gone.n && !gone.last[0])
		return;
	used += (size_t)snprintf(ret + used, bytes - used,
				 " (of those that were unloaded the kernel remembers ");
	for (i = 0; i < gone.n && used < bytes; i++)
		used += (size_t)snprintf(ret + used, bytes - used, "%s%s",
					 i ? ", " : "", gone.names[i]);
	if (!gone.n && used < bytes)
		used += (size_t)snprintf(ret + used, bytes - used,
					 "the last alone, %s", gone.last);
	if (used < bytes)
		snprintf(ret + used, bytes - used, "%s)",
			 gone.more ? " and others" : "");
}

static void tag_where(struct report *report, const struct alloc_tag *tag,
		      char ret[SITE_WHERE_BYTES])
{
	char remark[SITE_WHERE_BYTES - 64] = "";

	if (tag->file[0]) {
		snprintf(ret, SITE_WHERE_BYTES, "%s at %s:%" PRIu32 "%s%s%s%s",
			 tag->function, tag->file, tag->line,
			 tag->module[0] ? " [" : "", tag->module,
			 tag->module[0] ? "]" : "",
			 tag->from_log ?
				 ", a module that is gone; so its line in the kernel log says" :
			 tag->gone ? ", a module that is gone" :
				     "");
		return;
	}
	gone_remark(report, "a module that is gone", remark, sizeof(remark));
	snprintf(ret, SITE_WHERE_BYTES, "line %" PRIu32 " of a source file%s",
		 tag->line, remark);
}

void site_where(struct report *report, const struct site *site,
		char ret[SITE_WHERE_BYTES])
{
	uint64_t address = site->frames[site->first];
	char symbol[SYMBOL_BYTES_MAX], remark[SITE_WHERE_BYTES / 2] = "";

	if (site->has_tag) {
		tag_where(report, &site->tag, ret);
		return;
	}
	if (!object_code_symbol(report, address, symbol)) {
		if (kernel_is_gone(report->kernel, address))
			gone_remark(report,
				    "a module that is gone, or in init code of one",
				    remark, sizeof(remark));
		else
			snprintf(remark, sizeof(remark),
				 ", which has no symbol");
	}
	snprintf(ret, SITE_WHERE_BYTES, "%s%s", symbol, remark);
}
