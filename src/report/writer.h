/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffered output through the caller's kml_write_fn.  The first error sticks:
 * what is written after it is dropped, and writer_finish() returns it, so that
 * a report need not check every line.
 */
#ifndef KML_REPORT_WRITER_H
#define KML_REPORT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct writer {
	kml_write_fn *fn;
	void *arg;
	struct kml_error *error;
	size_t used;
	char buf[32768];
};

void writer_init(struct writer *writer, kml_write_fn *fn, void *arg);
void writer_put(struct writer *writer, const char *text, size_t bytes);
void writer_puts(struct writer *writer, const char *text);
void writer_printf(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Make @error, if it is one, the sticky one, or destroy it if there is one
 * already.  For errors of what is being written about. */
void writer_fail(struct writer *writer, struct kml_error *error);

/* Write what is left; the sticky error. */
struct kml_error *writer_finish(struct writer *writer) error_must_check;

#endif
