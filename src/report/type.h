/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What type an object is of, in words, and why. */
#ifndef KML_REPORT_TYPE_H
#define KML_REPORT_TYPE_H

#include "report/json_writer.h"
#include "report/object.h"
#include "report/report.h"

#define TYPE_BYTES 160
#define TYPE_FAMILY_BYTES (TYPE_BYTES + 80)
#define TYPE_WORDS_BYTES (TYPE_BYTES + 64)
#define TYPE_WHY_BYTES 512
#define TYPE_SENTENCE_BYTES (TYPE_WORDS_BYTES + TYPE_WHY_BYTES + 8)

/* "struct dentry", "struct page *[]", "char[]"; false if it is not known. */
bool type_format(const struct report *report, uint32_t id,
		 char ret[TYPE_BYTES]);

/* The same of any type. */
void type_format_number(const struct types *types, uint32_t type,
			char ret[TYPE_BYTES]);

/* "perhaps ", "probably ", or "" where an object's type is sure, or none is. */
const char *type_doubt(const struct infer *infer, uint32_t id);

/* "struct foo (kmalloc-64)" if the cache does not say what it is, else the
 * object_family(). */
void type_family(const struct report *report, const struct object *object,
		 char ret[TYPE_FAMILY_BYTES]);

/* The same of one object, which may be "probably struct foo (kmalloc-64)". */
void type_name_object(const struct report *report, const struct object *object,
		      char ret[TYPE_FAMILY_BYTES]);

/* "probably struct foo (or what begins with one)"; false if the type is not
 * known, or is named as the cache is. */
bool type_words(const struct report *report, const struct object *object,
		char ret[TYPE_WORDS_BYTES]);

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
