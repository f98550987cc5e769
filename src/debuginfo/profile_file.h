/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile as a file: what `kmlanalyze profile` writes, and the layout cache.
 *
 *	magic, version, byte order, sizes, checksum | zstd frame of the image
 */
#ifndef KML_DEBUGINFO_PROFILE_FILE_H
#define KML_DEBUGINFO_PROFILE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "debuginfo/profile_image.h"

#define PROFILE_MAX_BYTES ((size_t)256 << 20)
#define PROFILE_SUFFIX ".kmlprofile"

/* Whether a file's first bytes say that it is a profile. */
bool profile_file_is(const void *head, size_t bytes);

/* Read a profile.  KML_ERR_CORRUPT if it is damaged, KML_ERR_UNSUPPORTED if
 * another version or kind of machine wrote it. */
struct kml_error *profile_file_load(const char *path,
				    struct profile_image *ret)
	error_must_check;

/* Lay out a file's bytes, to be freed by the caller. */
struct kml_error *profile_file_pack(const struct profile_image *image,
				    void **ret, size_t *bytes_ret)
	error_must_check;

/* Write it; over a regular file by way of a temporary one. */
struct kml_error *profile_file_save(const struct profile_image *image,
				    const char *path) error_must_check;

/*
 * The cached profile of a build-id: false if there is none that is whole, of
 * this version and of the present lists of types.
 */
bool profile_cache_load(const char *cache_dir, const uint8_t *build_id,
			size_t build_id_bytes, struct profile_image *ret);
/* Put it there; a failure is nobody's concern. */
void profile_cache_save(const char *cache_dir,
			const struct profile_image *image);

#endif
