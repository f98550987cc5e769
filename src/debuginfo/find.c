// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "debuginfo/elf_file.h"

struct build_id_text build_id_text(const uint8_t *build_id, size_t bytes)
{
	struct build_id_text text = { "none" };
	size_t i;

	for (i = 0; i < MIN(bytes, (size_t)BUILD_ID_MAX); i++)
		snprintf(text.s + 2 * i, 3, "%02x", build_id[i]);
	return text;
}

/* @D: the debug directory, @R: the release. */
static const char *const by_release[] = {
	"@D/boot/vmlinux-@R",             /* Debian */
	"@D/lib/modules/@R/vmlinux",      /* Fedora, RHEL */
	"@D/boot/vmlinux-@R.debug",       /* openSUSE */
	"@D/usr/lib/modules/@R/vmlinux.debug",
	"/lib/modules/@R/build/vmlinux",  /* one's own build */
	"/lib/modules/@R/vmlinux",
	"/boot/vmlinux-@R",
};

static const char *debug_dir(void)
{
	const char *dir = getenv("KMLANALYZE_DEBUG_DIR");

	return dir && dir[0] ? dir : "/usr/lib/debug";
}

/* NULL if there is no memory. */
static char *expand(const char *pattern, const char *release)
{
	size_t dir_len = strlen(debug_dir()), release_len = strlen(release);
	char *path = malloc(strlen(pattern) + dir_len + release_len + 1);
	char *to = path;

	if (!path)
		return NULL;
	for (; *pattern; pattern++) {
		if (pattern[0] == '@' && pattern[1] == 'D') {
			to = mempcpy(to, debug_dir(), dir_len);
			pattern++;
		} else if (pattern[0] == '@' && pattern[1] == 'R') {
			to = mempcpy(to, release, release_len);
			pattern++;
		} else {
			*to++ = *pattern;
		}
	}
	*to = '\0';
	return path;
}

enum verdict { FITS, OTHER_BUILD, USELESS };

static enum verdict try_file(const char *path, const struct find_wanted *wanted)
{
	struct elf_file file;
	struct kml_error *error;
	enum verdict verdict = FITS;

	if (access(path, R_OK))
		return USELESS;
	error = elf_file_open(path, false, &file);
	if (error) {
		kml_error_destroy(error);
		return USELESS;
	}
	if (!elf_file_has_section(&file, ".debug_info"))
		verdict = USELESS;
	else if (wanted->build_id &&
		 (file.build_id_bytes != wanted->build_id_bytes ||
		  memcmp(file.build_id, wanted->build_id,
			 wanted->build_id_bytes) != 0))
		verdict = OTHER_BUILD;
	elf_file_close(&file);
	return verdict;
}

/* Files of this release; *@other_ret gets the first of another build. */
static struct kml_error *find_by_release(const struct find_wanted *wanted,
					 char **ret, char **other_ret)
{
	enum verdict verdict;
	char *path;
	size_t i;

	/* It comes from the dump: no way out of these folders. */
	if (!wanted->release || !wanted->release[0] ||
	    strchr(wanted->release, '/'))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(by_release); i++) {
		path = expand(by_release[i], wanted->release);
		if (!path)
			return error_nomem();
		verdict = try_file(path, wanted);
		if (verdict == FITS) {
			*ret = path;
			return NULL;
		}
		if (verdict == OTHER_BUILD && !*other_ret)
			*other_ret = path;
		else
			free(path);
	}
	return NULL;
}

static struct kml_error *find_by_build_id(const struct find_wanted *wanted,
					  char **ret)
{
	struct build_id_text text;
	char *path;

	if (!wanted->build_id || wanted->build_id_bytes < 2)
		return NULL;
	text = build_id_text(wanted->build_id, wanted->build_id_bytes);
	if (asprintf(&path, "%s/.build-id/%.2s/%s.debug", debug_dir(), text.s,
		     text.s + 2) < 0)
		return error_nomem();
	if (try_file(path, wanted) == FITS)
		*ret = path;
	else
		free(path);
	return NULL;
}

static struct kml_error *not_found(const struct find_wanted *wanted,
				   const char *other)
{
	struct build_id_text id = build_id_text(wanted->build_id,
						wanted->build_id_bytes);
	const char *release = wanted->release ? wanted->release : "unknown";

	if (other)
		return error_new(KML_ERR_BUILDID,
				 "no vmlinux of build-id %s found for Linux %s; '%s' is of another build (--force uses it all the same)",
				 id.s, release, other);
	return error_new(KML_ERR_DEBUGINFO,
			 "no vmlinux with debuginfo found for Linux %s (build-id %s): install the kernel's debuginfo package or name the vmlinux",
			 release, id.s);
}

struct kml_error *find_vmlinux(const struct find_wanted *wanted, char **ret)
{
	_cleanup_free_ char *other = NULL;
	struct kml_error *error;
	char *path = NULL;

	if (wanted->hint && wanted->hint[0] &&
	    try_file(wanted->hint, wanted) == FITS) {
		path = strdup(wanted->hint);
		if (!path)
			return error_nomem();
	}
	error = path ? NULL : find_by_build_id(wanted, &path);
	if (!error && !path)
		error = find_by_release(wanted, &path, &other);
	if (error)
		return error;
	if (!path && wanted->any_build)
		path = take_ptr(other);
	if (!path)
		return not_found(wanted, other);
	*ret = path;
	return NULL;
}
