/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The contents of an object: the one thing that reports read of the image. */
#ifndef KML_REPORT_CONTENT_H
#define KML_REPORT_CONTENT_H

#include "report/object.h"

/* As much of an object is looked at; kmemleak shows the first 32 bytes. */
#define CONTENT_BYTES 4096u
#define CONTENT_SHOWN 32u

struct content {
	unsigned char data[CONTENT_BYTES];
	size_t bytes;  /* how many of them there are */
	bool readable; /* false: not in the dump, or not mapped */
	int cpu;       /* whose copy of a per-cpu block; -1: of none */
};

/* Read the first bytes of an object, at most @max.  Errors other than that
 * they are not to be had stick to the report's writer. */
void content_read(struct report *report, const struct object *object,
		  size_t max, struct content *ret);

/* The same from byte @from on. */
void content_read_at(struct report *report, const struct object *object,
		     uint64_t from, uint64_t max, struct content *ret);

#define HEX_ROW_BYTES 16u
/* A row of at most 16 bytes as the kernel's hex_dump_to_buffer() makes it. */
void content_hex_row(const unsigned char *data, size_t bytes, char ret[72]);

/* The printable text that the object starts with, NUL-terminated in the
 * object; NULL if it starts with none of at least four characters. */
const char *content_text(const struct content *content);

/* A word that points to a symbol of the kernel or a module. */
struct content_pointer {
	uint32_t offset;
	char symbol[SYMBOL_BYTES_MAX];
};
/* The first @max of them. */
size_t content_pointers(struct report *report, const struct content *content,
			struct content_pointer *ret, size_t max);

#endif
