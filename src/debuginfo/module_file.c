// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/module_file.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DEBUG_DIR "/usr/lib/debug"
#define MAX_FILES 100000u

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* Is @file the file name of module @name?  The kernel knows only '_'. */
static bool is_module(const char *file, const char *name)
{
	for (; *name; file++, name++)
		if (*file != *name && !(*file == '-' && *name == '_'))
			return false;
	return !strcmp(file, ".ko") || !strcmp(file, ".ko.debug");
}

/* The same files in any order of the folder. */
static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* All below a folder, or the file itself. */
static bool add_below(struct module_files *files, const char *path)
{
	char *const paths[] = { (char *)path, NULL };
	/* Does not follow links, but that which @path is: no loops, and nothing
	 * twice. */
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW,
			    compare_entries);
	bool good = true;
	FTSENT *entry;

	if (!fts)
		return true;
	while (good && files->paths.size < MAX_FILES && (entry = fts_read(fts))) {
		char *copy;

		if (entry->fts_info != FTS_F ||
		    !(ends_with(entry->fts_name, ".ko") ||
		      ends_with(entry->fts_name, ".ko.debug")))
			continue;
		copy = strdup(entry->fts_path);
		good = copy && vec_push(&files->paths, copy);
		if (!good)
			free(copy);
	}
	fts_close(fts);
	return good;
}

static bool add_installed(struct module_files *files, const char *debug_dir,
			  size_t debug_dir_len, const char *release)
{
	static const char *const subdirs[] = { "lib/modules",
					       "usr/lib/modules" };
	bool good = true;
	size_t i;
	char *dir;

	for (i = 0; good && i < ARRAY_SIZE(subdirs); i++) {
		if (asprintf(&dir, "%.*s/%s/%s", (int)debug_dir_len, debug_dir,
			     subdirs[i], release) < 0)
			return false;
		good = add_below(files, dir);
		free(dir);
	}
	return good;
}

bool module_files_find(struct module_files *files,
		       const struct module_paths *named, const char *vmlinux,
		       const char *release)
{
	const char *in = vmlinux ? strstr(vmlinux, DEBUG_DIR "/") : NULL;
	bool good = true;
	size_t i;

	memset(files, 0, sizeof(*files));
	for (i = 0; good && named && i < named->n; i++) {
		size_t n = files->paths.size;

		good = add_below(files, named->paths[i]);
		if (files->paths.size == n && !files->empty)
			files->empty = named->paths[i];
	}
	files->n_named = files->paths.size;
	/* It comes from the dump: keep it from leading elsewhere. */
	if (release[0] && release[0] != '.' && !strchr(release, '/')) {
		if (good && in && in > vmlinux)
			good = add_installed(files, vmlinux,
					     (size_t)(in - vmlinux) +
						     strlen(DEBUG_DIR),
					     release);
		if (good)
			good = add_installed(files, DEBUG_DIR,
					     strlen(DEBUG_DIR), release);
	}
	if (!good)
		module_files_deinit(files);
	return good;
}

void module_files_deinit(struct module_files *files)
{
	size_t i;

	for (i = 0; i < files->paths.size; i++)
		free(files->paths.data[i]);
	vec_deinit(&files->paths);
	memset(files, 0, sizeof(*files));
}

const char *module_files_next(const struct module_files *files,
			      const char *name, size_t *at)
{
	while (name[0] && *at < files->paths.size) {
		const char *path = files->paths.data[(*at)++];
		const char *slash = strrchr(path, '/');

		if (is_module(slash ? slash + 1 : path, name))
			return path;
	}
	return NULL;
}
