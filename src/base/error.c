// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kml_error nomem_error = {
	.code = KML_ERR_NOMEM,
	.message = (char *)"out of memory",
};

struct kml_error *error_nomem(void)
{
	return &nomem_error;
}

__attribute__((format(printf, 2, 0))) static struct kml_error *
error_make(enum kml_code code, const char *format, va_list ap)
{
	struct kml_error *error = calloc(1, sizeof(*error));

	if (!error)
		return &nomem_error;
	error->code = code;
	if (vasprintf(&error->message, format, ap) < 0) {
		free(error);
		return &nomem_error;
	}
	return error;
}

struct kml_error *error_new(enum kml_code code, const char *format, ...)
{
	struct kml_error *error;
	va_list ap;

	va_start(ap, format);
	error = error_make(code, format, ap);
	va_end(ap);
	return error;
}

struct kml_error *error_at(enum kml_code code, uint64_t address,
			   const char *format, ...)
{
	struct kml_error *error;
	va_list ap;

	va_start(ap, format);
	error = error_make(code, format, ap);
	va_end(ap);
	if (error != &nomem_error) {
		error->has_address = true;
		error->address = address;
	}
	return error;
}

struct kml_error *error_os(int errnum, const char *format, ...)
{
	struct kml_error *error;
	char *message;
	va_list ap;

	va_start(ap, format);
	error = error_make(KML_ERR_OS, format, ap);
	va_end(ap);
	if (error != &nomem_error &&
	    asprintf(&message, "%s: %s", error->message, strerror(errnum)) >= 0) {
		free(error->message);
		error->message = message;
	}
	return error;
}

struct kml_error *error_prefix(struct kml_error *error, const char *format, ...)
{
	char *prefix, *message;
	va_list ap;
	int n;

	if (error == &nomem_error)
		return error;
	va_start(ap, format);
	n = vasprintf(&prefix, format, ap);
	va_end(ap);
	if (n < 0)
		return error;
	if (asprintf(&message, "%s: %s", prefix, error->message) >= 0) {
		free(error->message);
		error->message = message;
	}
	free(prefix);
	return error;
}

const char *kml_version(void)
{
	return KML_VERSION;
}

enum kml_code kml_error_code(const struct kml_error *error)
{
	return error ? error->code : KML_OK;
}

const char *kml_error_message(const struct kml_error *error)
{
	return error ? error->message : "success";
}

bool kml_error_address(const struct kml_error *error, uint64_t *ret)
{
	if (!error || !error->has_address)
		return false;
	*ret = error->address;
	return true;
}

void kml_error_destroy(struct kml_error *error)
{
	if (!error || error == &nomem_error)
		return;
	free(error->message);
	free(error);
}
