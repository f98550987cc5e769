/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the files on the command line is the vmlinux. */
#ifndef KML_CMD_PROBE_H
#define KML_CMD_PROBE_H

#include <stdbool.h>

/*
 * By its first bytes: an ELF file that is no core, anything compressed with
 * zstd, or a profile.  No dump begins like any of these.
 */
bool looks_like_vmlinux(const char *path);

/* By its first bytes: a snapshot, which `-o NAME.kml` wrote. */
bool looks_like_snapshot(const char *path);

/* Is a file of this name to be a snapshot?  It ends in .kml. */
bool names_snapshot(const char *path);

#endif
