/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for people.  The buffers live as long as the calling expression's
 * block, so that several can be arguments of one printf(). */
#ifndef KML_REPORT_NUMBER_H
#define KML_REPORT_NUMBER_H

#include <stdint.h>

struct number {
	char text[40];
};

/* "1,048" */
const char *number_count(struct number *buf, uint64_t n);
/* "1 object", "1,048 objects" */
const char *number_of(struct number *buf, uint64_t n, const char *unit);
/* "64 bytes", "1.2 MiB" */
const char *number_bytes(struct number *buf, uint64_t bytes);
/* The same for a column of a table: "64 B", "1.2 MiB" */
const char *number_short_bytes(struct number *buf, uint64_t bytes);

#define COUNT(n) number_count(&(struct number){ { 0 } }, n)
#define COUNT_OF(n, unit) number_of(&(struct number){ { 0 } }, n, unit)
#define BYTES(n) number_bytes(&(struct number){ { 0 } }, n)
#define SHORT_BYTES(n) number_short_bytes(&(struct number){ { 0 } }, n)

#endif
