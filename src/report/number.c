// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Below this, a size is printed to the byte. */
#define EXACT_BYTES 10000u

const char *number_count(struct number *buf, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *p = buf->text;
	size_t i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return buf->text;
}

const char *number_of(struct number *buf, uint64_t n, const char *unit)
{
	size_t len = strlen(number_count(buf, n));

	snprintf(buf->text + len, sizeof(buf->text) - len, " %s%s", unit,
		 n == 1 ? "" : "s");
	return buf->text;
}

static const char *scaled(struct number *buf, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB",
					     "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;
	uint64_t tenths;

	/* 1023.95 would be rounded to "1024.0". */
	while (value >= 1023.95) {
		value /= 1024;
		unit++;
	}
	/* Not %.1f: its decimal point depends on the locale. */
	tenths = (uint64_t)(value * 10 + 0.5);
	snprintf(buf->text, sizeof(buf->text), "%" PRIu64 ".%u %s", tenths / 10,
		 (unsigned)(tenths % 10), units[unit]);
	return buf->text;
}

const char *number_bytes(struct number *buf, uint64_t bytes)
{
	return bytes < EXACT_BYTES ? number_of(buf, bytes, "byte") :
				     scaled(buf, bytes);
}

const char *number_short_bytes(struct number *buf, uint64_t bytes)
{
	if (bytes >= EXACT_BYTES)
		return scaled(buf, bytes);
	strcat((char *)number_count(buf, bytes), " B");
	return buf->text;
}
