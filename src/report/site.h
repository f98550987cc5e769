/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who allocated an object: what the formats share. */
#ifndef KML_REPORT_SITE_H
#define KML_REPORT_SITE_H

#include "leak/site.h"
#include "report/json_writer.h"
#include "report/object.h"

/* All that is known of the allocation of one object, the best source first. */
struct object_sites {
	struct site sites[SITE_SOURCES];
	size_t n;
	/* Of these: the first that tells where, by a stack, by whom, when; NULL:
	 * none does. */
	const struct site *where, *stack, *who, *when;
};
void object_sites_find(struct report *report, uint32_t id,
		       struct object_sites *ret);

/* The memory cgroup that it is charged to, NULL if none is known. */
const struct memcg *object_memcg(struct report *report, uint32_t id);

/* "insmod (pid 320) on CPU 1", "pid 320", ""; and how long ago. */
#define SITE_WHO_BYTES 96
void site_who(const struct site *site, char ret[SITE_WHO_BYTES]);

/* Where, in one line, with a remark on modules that are gone. */
#define SITE_WHERE_BYTES 1024
void site_where(struct report *report, const struct site *site,
		char ret[SITE_WHERE_BYTES]);

/* The text report: of a group's first leak; of one leak; and of show. */
void text_group_site(struct report *report, const struct leak_group *group);
void text_leak_site(struct report *report, const struct object *object);
void text_show_sites(struct report *report, const struct object *object);

/* "site" of a group; "sites" and "memory_cgroup" of an object. */
void json_group_site(struct json *json, struct report *report,
		     const struct leak_group *group);
void json_object_sites(struct json *json, struct report *report, uint32_t id);

#endif
