// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void json_init(struct json *json, struct writer *writer)
{
	memset(json, 0, sizeof(*json));
	json->writer = writer;
}

static void newline(struct json *json)
{
	unsigned i;

	if (json->line_depth && json->depth >= json->line_depth)
		return;
	writer_puts(json->writer, "\n");
	for (i = 0; i < json->depth; i++)
		writer_puts(json->writer, "  ");
}

/* A code point of UTF-8 at @s: its length, or 0 if it is none. */
static size_t utf8_length(const unsigned char *s)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 :
		     s[0] < 0xf0 ? 3 : s[0] < 0xf8 ? 4 : 0;
	uint32_t c = len > 1 ? s[0] & (0x7fu >> len) : s[0];
	size_t i;

	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (len > 1 && (c < lowest[len] || c > 0x10ffff ||
			(c >= 0xd800 && c < 0xe000)))
		return 0;
	return len;
}

static void quoted(struct json *json, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	writer_puts(json->writer, "\"");
	while (*s) {
		size_t len = utf8_length(s);

		if (!len)
			writer_puts(json->writer, "\\ufffd");
		else if (*s == '"' || *s == '\\')
			writer_printf(json->writer, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			writer_printf(json->writer, "\\u%04x", *s);
		else
			writer_put(json->writer, (const char *)s, len);
		s += len ? len : 1;
	}
	writer_puts(json->writer, "\"");
}

/* What precedes a value: comma, line, key. */
static void begin_value(struct json *json, const char *key)
{
	bool on_line = json->line_depth && json->depth >= json->line_depth;

	if (json->depth) {
		if (json->used[json->depth])
			writer_puts(json->writer, on_line ? ", " : ",");
		newline(json);
		json->used[json->depth] = true;
	}
	if (key) {
		quoted(json, key);
		writer_puts(json->writer, ": ");
	}
}

static void begin(struct json *json, const char *key, const char *start,
		  char end)
{
	begin_value(json, key);
	writer_puts(json->writer, start);
	json->depth++;
	assert(json->depth < JSON_MAX_DEPTH);
	json->used[json->depth] = false;
	json->end[json->depth] = end;
}

void json_object(struct json *json, const char *key)
{
	begin(json, key, "{", '}');
}

void json_array(struct json *json, const char *key)
{
	begin(json, key, "[", ']');
}

void json_object_line(struct json *json, const char *key)
{
	json_object(json, key);
	if (!json->line_depth)
		json->line_depth = json->depth;
}

void json_array_line(struct json *json, const char *key)
{
	json_array(json, key);
	if (!json->line_depth)
		json->line_depth = json->depth;
}

void json_end(struct json *json)
{
	const char end[] = { json->end[json->depth], '\0' };
	bool on_line = json->line_depth && json->depth >= json->line_depth;
	bool used = json->used[json->depth];

	if (json->line_depth == json->depth)
		json->line_depth = 0;
	json->depth--;
	if (used && !on_line)
		newline(json);
	writer_puts(json->writer, end);
	if (!json->depth)
		writer_puts(json->writer, "\n");
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	writer_puts(json->writer, "null");
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	writer_puts(json->writer, value ? "true" : "false");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	writer_printf(json->writer, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	writer_printf(json->writer, "%" PRId64, value);
}

void json_seconds(struct json *json, const char *key, double value)
{
	uint64_t ms = value > 0 ? (uint64_t)(value * 1000 + 0.5) : 0;

	/* Not %f: its decimal point depends on the locale. */
	begin_value(json, key);
	writer_printf(json->writer, "%" PRIu64 ".%03u", ms / 1000,
		      (unsigned)(ms % 1000));
}

void json_address(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	writer_printf(json->writer, "\"0x%016" PRIx64 "\"", value);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	quoted(json, value);
}
