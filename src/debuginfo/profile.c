// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening a profile: where its contents come from, in order of cost.
 *
 *  - a profile file that was named: it is all there is;
 *  - the cache, by the dump's build-id or that of the vmlinux that was named;
 *  - the vmlinux, whose profile then goes to the cache.
 *
 * The build-id of a compressed vmlinux is known only once it is decompressed,
 * so the cache also keeps the path, size and time of change of the file that
 * a profile was made of: if they are the same, so is the build-id.
 */
#include "debuginfo/profile_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "debuginfo/dwarf_reader.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/find.h"
#include "debuginfo/profile_file.h"

/* A file as the cache remembers it. */
struct source {
	char *path; /* absolute; freed by the owner */
	uint64_t bytes;
	int64_t mtime_ns;
};

static struct kml_error *source_of(const char *path, struct source *ret)
{
	struct source source = { 0 };
	struct stat st;

	if (stat(path, &st))
		return error_os(errno, "cannot open '%s'", path);
	source.path = realpath(path, NULL);
	if (!source.path)
		return error_os(errno, "cannot open '%s'", path);
	source.bytes = (uint64_t)st.st_size;
	source.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
			  st.st_mtim.tv_nsec;
	*ret = source;
	return NULL;
}

static bool is_made_of(const struct profile_image *image,
		       const struct source *source)
{
	const struct image_header *header = image->header;

	return header->source_bytes == source->bytes &&
	       header->source_mtime_ns == source->mtime_ns &&
	       !strcmp(image->strings + header->source_path, source->path);
}

/* ---- out of a vmlinux */

static struct kml_error *draft_fill(struct profile_draft *draft,
				    const struct elf_file *file,
				    const struct source *source)
{
	struct kml_error *error;

	memcpy(draft->build_id, file->build_id, file->build_id_bytes);
	draft->build_id_bytes = file->build_id_bytes;
	draft->source_bytes = source->bytes;
	draft->source_mtime_ns = source->mtime_ns;
	error = dwarf_read_layouts(file, draft);
	if (!error)
		error = elf_file_sections(file, draft);
	if (!error)
		error = elf_file_symbols(file, draft);
	if (!error && !string_pool_add(&draft->strings, source->path,
				       &draft->source_path))
		error = error_nomem();
	return error;
}

static struct kml_error *image_from_elf(const struct elf_file *file,
					const struct source *source,
					struct profile_image *ret)
{
	struct profile_draft draft = { 0 };
	struct kml_error *error = draft_fill(&draft, file, source);

	if (!error) {
		error = profile_draft_finish(&draft, ret);
		if (error)
			error = error_prefix(error, "'%s'", file->name);
	}
	profile_draft_deinit(&draft);
	return error;
}

/* ---- build-ids */

/* The dump's build-id must be that of @build_id, if it is known. */
static struct kml_error *check_build_id(struct profile *profile,
					const struct profile_options *options,
					const char *path,
					const uint8_t *build_id, size_t bytes)
{
	if (!options->build_id || !options->build_id_bytes ||
	    (bytes == options->build_id_bytes &&
	     !memcmp(build_id, options->build_id, bytes)))
		return NULL;
	if (!options->force)
		return error_new(KML_ERR_BUILDID,
				 "'%s' is of build-id %s, the dump of %s (--force uses it all the same)",
				 path, build_id_text(build_id, bytes).s,
				 build_id_text(options->build_id,
					       options->build_id_bytes).s);
	profile->mismatch = true;
	return NULL;
}

/* ---- the ways to open one */

/* A vmlinux whose ELF file is open: out of the cache, or out of itself. */
static struct kml_error *use_elf(struct profile *profile,
				 const struct profile_options *options,
				 const struct elf_file *file,
				 const struct source *source)
{
	struct kml_error *error;

	error = check_build_id(profile, options, file->name, file->build_id,
			       file->build_id_bytes);
	if (error)
		return error;
	if (profile_cache_load(options->cache_dir, file->build_id,
			       file->build_id_bytes, &profile->image)) {
		profile->source = "cache";
		if (is_made_of(&profile->image, source) || !profile->compressed)
			return NULL;
		/* Made of another file, so make it again, of this one: then
		 * this one need not be decompressed the next time. */
		profile_image_deinit(&profile->image);
	}
	error = image_from_elf(file, source, &profile->image);
	if (error)
		return error;
	profile->source = "vmlinux";
	profile_cache_save(options->cache_dir, &profile->image);
	return NULL;
}

static struct kml_error *open_elf(struct profile *profile,
				  const struct profile_options *options,
				  const char *path, const struct source *source)
{
	struct elf_file file;
	struct kml_error *error = elf_file_open(path, profile->compressed,
						&file);

	if (error)
		return error;
	error = use_elf(profile, options, &file, source);
	if (!error && profile->compressed) {
		profile->memfd = file.fd;
		file.fd = -1;
	}
	elf_file_close(&file);
	return error;
}

static struct kml_error *open_zst(struct profile *profile,
				  const struct profile_options *options,
				  const char *path, const struct source *source)
{
	struct profile_image image;

	profile->compressed = true;
	if (options->build_id &&
	    profile_cache_load(options->cache_dir, options->build_id,
			       options->build_id_bytes, &image)) {
		if (is_made_of(&image, source)) {
			profile->image = image;
			profile->source = "cache";
			return NULL;
		}
		profile_image_deinit(&image);
	}
	return open_elf(profile, options, path, source);
}

static struct kml_error *open_profile(struct profile *profile,
				      const struct profile_options *options,
				      const char *path)
{
	const struct image_header *header;
	struct kml_error *error = profile_file_load(path, &profile->image);

	if (error)
		return error;
	profile->source = "profile";
	header = profile->image.header;
	return check_build_id(profile, options, path, header->build_id,
			      header->build_id_bytes);
}

static struct kml_error *open_vmlinux(struct profile *profile,
				      const struct profile_options *options,
				      const char *path, enum file_kind kind)
{
	struct source source;
	struct kml_error *error = source_of(path, &source);

	if (error)
		return error;
	profile->vmlinux = source.path;
	if (kind == FILE_ZSTD)
		return open_zst(profile, options, path, &source);
	return open_elf(profile, options, path, &source);
}

static struct kml_error *open_path(struct profile *profile,
				   const struct profile_options *options,
				   const char *path)
{
	enum file_kind kind;
	struct kml_error *error = file_kind(path, &kind);

	if (error)
		return error;
	switch (kind) {
	case FILE_PROFILE:
		return open_profile(profile, options, path);
	case FILE_ELF:
	case FILE_ZSTD:
		return open_vmlinux(profile, options, path, kind);
	case FILE_VMLINUZ:
		return error_new(KML_ERR_FORMAT,
				 "'%s' is a kernel's boot image, not a vmlinux with debuginfo",
				 path);
	case FILE_OTHER:
		break;
	}
	return error_new(KML_ERR_FORMAT,
			 "'%s' is neither a vmlinux nor a profile", path);
}

/* No file was named: the cache, else what is installed. */
static struct kml_error *open_found(struct profile *profile,
				    const struct profile_options *options)
{
	struct find_wanted wanted = {
		.build_id = options->build_id,
		.build_id_bytes = options->build_id_bytes,
		.release = options->release,
		.any_build = options->force,
	};
	_cleanup_free_ char *path = NULL;
	struct kml_error *error;

	if (options->build_id &&
	    profile_cache_load(options->cache_dir, options->build_id,
			       options->build_id_bytes, &profile->image)) {
		profile->source = "cache";
		wanted.hint = profile->image.strings +
			      profile->image.header->source_path;
		wanted.any_build = false;
		/* It only serves source lines now. */
		error = find_vmlinux(&wanted, &profile->vmlinux);
		kml_error_destroy(error);
		return NULL;
	}
	error = find_vmlinux(&wanted, &path);
	if (error)
		return error;
	return open_path(profile, options, path);
}

/* The sections as the interface shows them. */
static struct kml_error *show_sections(struct profile *profile)
{
	const struct profile_image *image = &profile->image;
	size_t n = image->header->n_sections, i;

	profile->sections = calloc(n + 1, sizeof(*profile->sections));
	if (!profile->sections)
		return error_nomem();
	for (i = 0; i < n; i++) {
		const struct section_record *record = &image->sections[i];
		struct profile_section *section = &profile->sections[i];

		section->name = image->strings + record->name;
		section->address = record->address;
		section->size = record->size;
		section->writable = record->flags & SECTION_WRITABLE;
		section->executable = record->flags & SECTION_EXECUTABLE;
		section->patched = record->flags & SECTION_PATCHED;
	}
	return NULL;
}

struct kml_error *profile_open(const struct profile_options *options,
			       struct profile **ret)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct kml_error *error;

	if (!profile)
		return error_nomem();
	profile->memfd = -1;
	if (pthread_mutex_init(&profile->lock, NULL)) {
		free(profile);
		return error_nomem();
	}
	error = options->path ? open_path(profile, options, options->path) :
				open_found(profile, options);
	if (!error)
		error = show_sections(profile);
	if (error) {
		profile_close(profile);
		return error;
	}
	*ret = profile;
	return NULL;
}

void profile_close(struct profile *profile)
{
	if (!profile)
		return;
	profile_image_deinit(&profile->image);
	closep(&profile->memfd);
	free(profile->vmlinux);
	free(profile->memfd_path);
	free(profile->sections);
	pthread_mutex_destroy(&profile->lock);
	free(profile);
}

/* ---- what is known of it */

/* Carried to another machine, where it was made is of no use. */
struct kml_error *profile_write(const struct profile *profile,
				const char *path)
{
	struct image_header *copy = malloc(profile->image.bytes);
	struct profile_image image;
	struct kml_error *error;

	if (!copy)
		return error_nomem();
	memcpy(copy, profile->image.header, profile->image.bytes);
	memset((char *)copy + ((const char *)profile->image.strings -
			       (const char *)profile->image.header) +
		       copy->source_path, 0,
	       strlen(profile->image.strings + copy->source_path));
	copy->source_path = 0;
	copy->source_bytes = 0;
	copy->source_mtime_ns = 0;
	if (!profile_image_attach(&image, copy, profile->image.bytes)) {
		free(copy);
		return error_nomem();
	}
	error = profile_file_save(&image, path);
	profile_image_deinit(&image);
	return error;
}

const void *profile_bytes(const struct profile *profile, size_t *bytes_ret)
{
	*bytes_ret = profile->image.bytes;
	return profile->image.header;
}

static const char *known_source(const char *source)
{
	static const char *const known[] = { "vmlinux", "cache", "profile" };
	size_t i;

	for (i = 0; source && i < ARRAY_SIZE(known); i++) {
		if (!strcmp(known[i], source))
			return known[i];
	}
	return NULL;
}

struct kml_error *profile_attach(void *block, size_t bytes, const char *source,
				 const char *vmlinux, bool mismatch,
				 struct profile **ret)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct kml_error *error = NULL;

	if (!profile)
		return error_nomem();
	profile->memfd = -1;
	profile->source = known_source(source);
	profile->mismatch = mismatch;
	if (pthread_mutex_init(&profile->lock, NULL) ||
	    (vmlinux && !(profile->vmlinux = strdup(vmlinux))))
		error = error_nomem();
	else if (!profile->source ||
		 !profile_image_attach(&profile->image, block, bytes))
		error = error_new(KML_ERR_CORRUPT, "the profile is damaged");
	else
		error = show_sections(profile);
	if (error) {
		/* The block stays the caller's. */
		memset(&profile->image, 0, sizeof(profile->image));
		profile_close(profile);
		return error;
	}
	*ret = profile;
	return NULL;
}

const char *profile_path(const struct profile *profile)
{
	return profile->compressed ? NULL : profile->vmlinux;
}

/* The path of the decompressed file, which is made at the first question. */
static const char *decompressed(struct profile *profile)
{
	struct kml_error *error;
	size_t bytes;

	if (profile->memfd < 0) {
		error = zst_to_memfd(profile->vmlinux, &profile->memfd, &bytes);
		if (error) {
			kml_error_destroy(error);
			return NULL;
		}
	}
	if (!profile->memfd_path &&
	    asprintf(&profile->memfd_path, "/proc/self/fd/%d",
		     profile->memfd) < 0)
		profile->memfd_path = NULL;
	return profile->memfd_path;
}

const char *profile_vmlinux(const struct profile *profile)
{
	/* The one thing that is made later, and so needs the lock. */
	struct profile *mutable = (struct profile *)profile;
	const char *path;

	if (!profile->compressed)
		return profile->vmlinux;
	pthread_mutex_lock(&mutable->lock);
	path = decompressed(mutable);
	pthread_mutex_unlock(&mutable->lock);
	return path;
}

const char *profile_source(const struct profile *profile)
{
	return profile->source;
}

const uint8_t *profile_build_id(const struct profile *profile,
				size_t *bytes_ret)
{
	*bytes_ret = profile->image.header->build_id_bytes;
	return profile->image.header->build_id;
}

bool profile_mismatch(const struct profile *profile)
{
	return profile->mismatch;
}

const struct profile_section *profile_sections(const struct profile *profile,
					       size_t *n_ret)
{
	*n_ret = profile->image.header->n_sections;
	return profile->sections;
}
