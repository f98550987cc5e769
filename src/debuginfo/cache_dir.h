/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that spare a later run the debuginfo, one per kernel build:
 * `<cache dir>/<build-id in hex><suffix>`.  A cache is a courtesy: nothing
 * here is an error, and whoever reads a file back trusts nothing in it.
 */
#ifndef KML_DEBUGINFO_CACHE_DIR_H
#define KML_DEBUGINFO_CACHE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The path of a cache file, to be freed with free(); NULL if there is no
 * cache: @cache_dir is "", or it is NULL and neither $XDG_CACHE_HOME nor $HOME
 * is an absolute path, or @build_id_bytes is 0.
 */
char *cache_path(const char *cache_dir, const uint8_t *build_id,
		 size_t build_id_bytes, const char *suffix);

/*
 * The whole of a regular file of at most @max_bytes, with a NUL behind it; to
 * be freed with free().  NULL if there is none or it cannot be had.
 */
char *cache_read(const char *path, size_t max_bytes, size_t *bytes_ret);

/* Write it all; an errno value, 0 on success. */
int write_all(int fd, const void *data, size_t bytes);
/*
 * Write a file to a temporary name and rename it; an errno value, 0 on
 * success.  @shared: with the mode that open() would give it, not 0600.
 */
int replace_file(const char *path, const void *data, size_t bytes, bool shared);

/* replace_file(), and make missing folders. */
bool cache_write(const char *path, const void *data, size_t bytes);

#endif
