/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all JSON documents have in common; schema/kmlanalyze.schema.json
 * describes them. */
#ifndef KML_REPORT_JSON_COMMON_H
#define KML_REPORT_JSON_COMMON_H

#include "report/json_writer.h"
#include "report/object.h"

#define JSON_SCHEMA 1

/* "schema", "report", "version", "kernel", "dump", "debuginfo", "machine". */
void json_header(struct json *json, struct report *report, const char *kind);
/* "gaps" and "partial". */
void json_gaps(struct json *json, const struct report *report);
/* "builtin_rules", "rules", "baseline" and "not_reported". */
void json_user(struct json *json, const struct report *report);
/* "statistics". */
void json_statistics(struct json *json, const struct report *report);

/* "address", "bytes", "kind", "cache" of the object being written. */
void json_object_members(struct json *json, const struct report *report,
			 const struct object *object);
/* What the kernel's own kmemleak recorded of an object, but for its address,
 * size and backtrace. */
void json_record_members(struct json *json, const struct report *report,
			 const struct kmemleak_record *record);
/* "backtrace": where it was allocated. */
void json_record_trace(struct json *json, struct report *report,
		       const struct kmemleak_record *record);
/* An array of source lines under @key. */
void json_frames(struct json *json, const char *key,
		 const struct lines_frame *frames, size_t n);

#endif
