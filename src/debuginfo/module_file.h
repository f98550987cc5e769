/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the debuginfo of the kernel's modules is. */
#ifndef KML_DEBUGINFO_MODULE_FILE_H
#define KML_DEBUGINFO_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"

/* Files and folders that the user names; may be NULL. */
struct module_paths {
	const char *const *paths;
	size_t n;
};

/* All files of modules that there are, in the order in which they count. */
struct module_files {
	VEC(char *) paths;
	size_t n_named; /* those that the user names come first */
	const char *empty; /* a path that the user names, and that has none;
			      NULL: they all have some */
};

/*
 * Those that the user names, a folder with all below it; then those of
 * DEBUG/lib/modules/RELEASE and DEBUG/usr/lib/modules/RELEASE, where DEBUG is
 * the "usr/lib/debug" that @vmlinux is in, and /usr/lib/debug.  False: no
 * memory.
 */
bool module_files_find(struct module_files *files,
		       const struct module_paths *named, const char *vmlinux,
		       const char *release);
void module_files_deinit(struct module_files *files);

/* The next file from *@at on that is named after module @name, NAME.ko or
 * NAME.ko.debug, with '-' or '_'; *@at is where to go on.  NULL: no more. */
const char *module_files_next(const struct module_files *files,
			      const char *name, size_t *at);

#endif
