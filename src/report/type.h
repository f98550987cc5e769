/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What type an object is of, in words, and why. */
#ifndef KML_REPORT_TYPE_H
#define KML_REPORT_TYPE_H

#include "report/json_writer.h"
#include "report/report.h"

#define TYPE_BYTES 160
#define TYPE_WHY_BYTES 512
#define TYPE_SENTENCE_BYTES (TYPE_BYTES + TYPE_WHY_BYTES + 64)

/* "struct dentry", "struct page *[]", "char[]"; false if it is not known. */
bool type_format(const struct report *report, uint32_t id,
		 char ret[TYPE_BYTES]);

/* "probably struct dentry: probe.next of struct probe 0xffff... points to it";
 * false if the type is not known. */
bool type_sentence(struct report *report, uint32_t id,
		   char ret[TYPE_SENTENCE_BYTES]);

/* "type": null, or its name, the confidence, the reason. */
void type_json(struct json *json, struct report *report, uint32_t id);

/* Are all roots of a group of one known type, for one kind of reason? */
bool type_is_common(const struct report *report,
		    const struct leak_group *group);

#endif
