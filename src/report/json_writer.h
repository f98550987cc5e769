/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small streaming JSON writer.  @key is NULL inside an array and for the
 * outermost value.  Objects and arrays are indented, but for the *_line ones,
 * which are printed on one line with all that they hold.
 */
#ifndef KML_REPORT_JSON_WRITER_H
#define KML_REPORT_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "report/writer.h"

#define JSON_MAX_DEPTH 16

struct json {
	struct writer *writer;
	unsigned depth;
	unsigned line_depth;      /* from here on, on one line; 0: nowhere */
	bool used[JSON_MAX_DEPTH]; /* the level has an element */
	char end[JSON_MAX_DEPTH];
};

void json_init(struct json *json, struct writer *writer);

void json_object(struct json *json, const char *key);
void json_object_line(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_array_line(struct json *json, const char *key);
/* End the innermost object or array. */
void json_end(struct json *json);

void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
/* Seconds, with three decimals. */
void json_seconds(struct json *json, const char *key, double value);
/* An address: "0x...", as numbers above 2^53 do not survive most readers. */
void json_address(struct json *json, const char *key, uint64_t value);
/* Bytes that are no UTF-8 become U+FFFD; NULL is null. */
void json_string(struct json *json, const char *key, const char *value);

#endif
