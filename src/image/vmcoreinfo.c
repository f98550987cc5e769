// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/vmcoreinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No name in VMCOREINFO comes near this. */
#define KEY_BYTES 128

const char *vmcoreinfo_line(const char *text, const char *key,
			    size_t *bytes_ret)
{
	size_t key_bytes = strlen(key);
	const char *line = text;

	while (*line) {
		size_t bytes = strcspn(line, "\n");

		if (bytes > key_bytes && line[key_bytes] == '=' &&
		    !memcmp(line, key, key_bytes)) {
			*bytes_ret = bytes - key_bytes - 1;
			return line + key_bytes + 1;
		}
		line += bytes;
		line += *line == '\n';
	}
	return NULL;
}

/* Is the value from @start to @end the whole line? */
static bool whole_value(const char *start, const char *end)
{
	return end != start && !errno && (*end == '\n' || !*end);
}

bool vmcoreinfo_hex(const char *text, const char *key, uint64_t *ret)
{
	size_t bytes;
	const char *value = vmcoreinfo_line(text, key, &bytes);
	unsigned long long v;
	char *end;

	if (!value || !isxdigit((unsigned char)*value))
		return false;
	errno = 0;
	v = strtoull(value, &end, 16);
	if (!whole_value(value, end))
		return false;
	*ret = v;
	return true;
}

static bool make_key(char *key, const char *kind, const char *name)
{
	int n = snprintf(key, KEY_BYTES, "%s(%s)", kind, name);

	return n > 0 && n < KEY_BYTES;
}

bool vmcoreinfo_symbol(const char *text, const char *name, uint64_t *ret)
{
	char key[KEY_BYTES];

	return make_key(key, "SYMBOL", name) && vmcoreinfo_hex(text, key, ret);
}

bool vmcoreinfo_number(const char *text, const char *name, int64_t *ret)
{
	char key[KEY_BYTES];
	const char *value;
	char *end;
	size_t bytes;
	int64_t v;

	if (!make_key(key, "NUMBER", name))
		return false;
	value = vmcoreinfo_line(text, key, &bytes);
	if (!value || isspace((unsigned char)*value))
		return false;
	errno = 0;
	if (value[0] == '0' && (value[1] == 'x' || value[1] == 'X'))
		v = (int64_t)strtoull(value, &end, 16);
	else
		v = strtoll(value, &end, 10);
	if (!whole_value(value, end))
		return false;
	*ret = v;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

size_t vmcoreinfo_build_id(const char *text, uint8_t *ret, size_t max)
{
	size_t bytes, i;
	const char *value = vmcoreinfo_line(text, "BUILD-ID", &bytes);

	if (!value || bytes % 2 || bytes / 2 > max)
		return 0;
	for (i = 0; i < bytes; i++)
		if (hex_digit(value[i]) < 0)
			return 0;
	for (i = 0; i < bytes / 2; i++)
		ret[i] = (uint8_t)(hex_digit(value[2 * i]) << 4 |
				   hex_digit(value[2 * i + 1]));
	return bytes / 2;
}
