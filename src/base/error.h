/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors as objects.
 *
 * A function that can fail returns a `struct kml_error *`: NULL on success,
 * otherwise an error that the caller owns and must either return further or
 * give to kml_error_destroy().  Output parameters are named `ret` or `*_ret`,
 * come last, and are untouched on failure.
 */
#ifndef KML_BASE_ERROR_H
#define KML_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <kmlanalyze/kmlanalyze.h>

struct kml_error {
	enum kml_code code;
	bool has_address;
	uint64_t address; /* what the error is about, if has_address */
	char *message;    /* lower case, no full stop, the subject in quotes */
};

#define error_must_check __attribute__((warn_unused_result))

/* Make an error.  Never fails: out of memory yields a static error. */
struct kml_error *error_new(enum kml_code code, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull)) error_must_check;

/* As error_new(), about the address (virtual or physical) @address. */
struct kml_error *error_at(enum kml_code code, uint64_t address,
			   const char *format, ...)
	__attribute__((format(printf, 3, 4), returns_nonnull)) error_must_check;

/* KML_ERR_OS; ": " and strerror(@errnum) are appended to the message. */
struct kml_error *error_os(int errnum, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull)) error_must_check;

/* The static out-of-memory error; destroying it is a no-op. */
struct kml_error *error_nomem(void)
	__attribute__((returns_nonnull)) error_must_check;

/* Put "PREFIX: " in front of @error's message; returns @error. */
struct kml_error *error_prefix(struct kml_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull)) error_must_check;

static inline void error_destroyp(struct kml_error **error)
{
	kml_error_destroy(*error);
}
#define _cleanup_error_ __attribute__((cleanup(error_destroyp)))

#endif
