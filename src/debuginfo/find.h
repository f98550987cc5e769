/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the vmlinux with debuginfo of a build.  It is looked for by
 * build-id and by release below /usr/lib/debug and where a kernel's build
 * leaves it; the environment variable KMLANALYZE_DEBUG_DIR, if set, names a
 * folder to be used in place of /usr/lib/debug.
 */
#ifndef KML_DEBUGINFO_FIND_H
#define KML_DEBUGINFO_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What is known of the kernel that is looked for. */
struct find_wanted {
	const uint8_t *build_id; /* NULL: unknown */
	size_t build_id_bytes;
	const char *release;     /* NULL: unknown */
	const char *hint;        /* a path to be tried first; NULL or "": none */
	bool any_build;          /* another build's will do if there is none */
};

/* A path to be freed; KML_ERR_DEBUGINFO if there is none. */
struct kml_error *find_vmlinux(const struct find_wanted *wanted, char **ret)
	error_must_check;

/* "0123abcd...", at most 2 * BUILD_ID_MAX digits, or "none". */
struct build_id_text {
	char s[2 * 64 + 1];
};
struct build_id_text build_id_text(const uint8_t *build_id, size_t bytes);

#endif
