/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has most of what is live, for all formats.
 *
 * Each table is an entry of top_tables[]: a function that gives an object's
 * key, and one that gives a key's name.
 */
#ifndef KML_REPORT_TOP_H
#define KML_REPORT_TOP_H

#include "report/object.h"

#define TOP_NAME_BYTES 384

struct top_row {
	uint64_t key;
	uint64_t objects, bytes;
	uint32_t first; /* id of the first of them: an order that does not
			   depend on how keys are numbered */
};

/* One table, counted. */
struct top_count {
	VEC(struct top_row) rows; /* the one with most bytes first */
	uint64_t objects, bytes;  /* in all of the rows */
	uint64_t unknown_objects, unknown_bytes; /* without a key */
};

struct top {
	struct report *report;
	const struct holdings *holdings;
	const char **types; /* by cache, where types were not inferred; NULL: not
			       known */
};

struct top_table {
	unsigned bit;      /* enum kml_top */
	const char *name;  /* stable */
	const char *title;
	/* False: nobody knows. */
	bool (*key)(const struct top *top, const struct object *object,
		    uint64_t *ret);
	void (*format)(const struct top *top, uint64_t key,
		       char ret[TOP_NAME_BYTES]);
};

#define TOP_TABLES 5
extern const struct top_table top_tables[TOP_TABLES];

/* False: no memory, which sticks to the writer. */
bool top_init(struct top *top, struct report *report);
void top_deinit(struct top *top);

/* Is a table, or the accumulation points, asked for? */
bool top_wants(const struct report *report, unsigned bit);

/* Count all tables that are asked for, in order of top_tables[]; false: no
 * memory, which sticks to the writer. */
bool top_count(const struct top *top, struct top_count ret[TOP_TABLES]);
void top_count_deinit(struct top_count counts[TOP_TABLES]);

/* How many of @n rows are to be shown. */
size_t top_limit(const struct report *report, size_t n);

/* What a node is, and where its word at @offset is: "variable conns+0x8 in
 * module foo", "kmalloc-64 0xffff... +0x18". */
void top_format_word(const struct top *top,
		     const struct accumulation_word *word,
		     char ret[TOP_NAME_BYTES]);
/* A family of a point: "kmalloc-64", "struct foo". */
void top_format_family(const struct top *top,
		       const struct accumulation_family *family,
		       char ret[TOP_NAME_BYTES]);

#endif
