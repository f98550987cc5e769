// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/module_file.h"

#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DEBUG_DIR "/usr/lib/debug"

/* Is @file the file name of module @name?  The kernel knows only '_'. */
static bool is_module(const char *file, const char *name)
{
	for (; *name; file++, name++)
		if (*file != *name && !(*file == '-' && *name == '_'))
			return false;
	return !strcmp(file, ".ko") || !strcmp(file, ".ko.debug");
}

static char *search(const char *dir, const char *name)
{
	char *const dirs[] = { (char *)dir, NULL };
	/* Does not follow links: no loops, and nothing twice. */
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	char *path = NULL;
	FTSENT *entry;

	if (!fts)
		return NULL;
	while (!path && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_F &&
		    is_module(entry->fts_name, name))
			path = strdup(entry->fts_path);
	fts_close(fts);
	return path;
}

static char *search_in(const char *debug_dir, size_t debug_dir_len,
		       const char *release, const char *name)
{
	static const char *const subdirs[] = { "lib/modules",
					       "usr/lib/modules" };
	char *dir, *path;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subdirs); i++) {
		if (asprintf(&dir, "%.*s/%s/%s", (int)debug_dir_len, debug_dir,
			     subdirs[i], release) < 0)
			return NULL;
		path = search(dir, name);
		free(dir);
		if (path)
			return path;
	}
	return NULL;
}

char *module_file_find(const char *vmlinux, const char *release,
		       const char *name)
{
	const char *in;
	char *path;

	/* It comes from the dump: keep it from leading elsewhere. */
	if (!release[0] || release[0] == '.' || strchr(release, '/') ||
	    !name[0])
		return NULL;
	in = vmlinux ? strstr(vmlinux, DEBUG_DIR "/") : NULL;
	if (in && in > vmlinux) {
		path = search_in(vmlinux,
				 (size_t)(in - vmlinux) + strlen(DEBUG_DIR),
				 release, name);
		if (path)
			return path;
	}
	return search_in(DEBUG_DIR, strlen(DEBUG_DIR), release, name);
}
