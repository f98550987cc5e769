// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void writer_init(struct writer *writer, kml_write_fn *fn, void *arg)
{
	writer->fn = fn;
	writer->arg = arg;
	writer->error = NULL;
	writer->used = 0;
}

void writer_fail(struct writer *writer, struct kml_error *error)
{
	if (writer->error)
		kml_error_destroy(error);
	else
		writer->error = error;
}

static void flush(struct writer *writer)
{
	int errnum;

	if (!writer->error && writer->used) {
		errnum = writer->fn(writer->arg, writer->buf, writer->used);
		if (errnum)
			writer_fail(writer, error_os(errnum,
						     "cannot write the report"));
	}
	writer->used = 0;
}

void writer_put(struct writer *writer, const char *text, size_t bytes)
{
	while (bytes) {
		size_t n = MIN(bytes, sizeof(writer->buf) - writer->used);

		memcpy(writer->buf + writer->used, text, n);
		writer->used += n;
		text += n;
		bytes -= n;
		if (writer->used == sizeof(writer->buf))
			flush(writer);
	}
}

void writer_puts(struct writer *writer, const char *text)
{
	writer_put(writer, text, strlen(text));
}

void writer_printf(struct writer *writer, const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		writer_fail(writer, error_nomem());
		return;
	}
	writer_put(writer, text, (size_t)n);
	free(text);
}

struct kml_error *writer_finish(struct writer *writer)
{
	flush(writer);
	return take_ptr(writer->error);
}
