// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/strings.h"

#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define ZSTD_LEVEL 9
#define MAX_SECTIONS 256u

/* As of PNG: damage by text-mode transfers shows in the first bytes.  What
 * src/cmd/probe.c looks for. */
static const uint8_t magic[8] = { 0x8b, 'K', 'M', 'S', '\r', '\n', 0x1a, '\n' };

struct file_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint32_t n_sections;
	uint32_t unused;
	uint64_t hash; /* of this with 0 here, and of the table */
};

static uint64_t header_hash(struct file_header header,
			    const struct snapshot_section *sections)
{
	uint64_t hash;

	header.hash = 0;
	hash = hash_bytes(HASH_START, &header, sizeof(header));
	return hash_bytes(hash, sections,
			  header.n_sections * sizeof(*sections));
}

bool snapshot_file_is(const char *path)
{
	/* A FIFO in its place must not make us wait. */
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t head[sizeof(magic)];

	return fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
	       !memcmp(head, magic, sizeof(magic));
}

/* ---- writing */

struct kml_error *snapshot_writer_add(struct snapshot_writer *writer,
				      const char *name, const void *data,
				      size_t bytes)
{
	struct snapshot_section section = { .bytes = bytes };
	size_t room = ZSTD_compressBound(bytes), n;
	char *frame;

	if (!vec_reserve(&writer->frames, room))
		return error_nomem();
	frame = writer->frames.data + writer->frames.size;
	n = ZSTD_compress(frame, room, data, bytes, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return error_nomem();
	strncpy(section.name, name, sizeof(section.name) - 1);
	section.frame_bytes = n;
	section.frame_hash = hash_words(frame, n);
	writer->frames.size += n;
	return vec_push(&writer->sections, section) ? NULL : error_nomem();
}

static struct kml_error *put(kml_write_fn *write, void *arg, const void *data,
			     size_t bytes)
{
	int errnum = bytes ? write(arg, data, bytes) : 0;

	return errnum ? error_os(errnum, "cannot write the snapshot") : NULL;
}

struct kml_error *snapshot_writer_write(const struct snapshot_writer *writer,
					kml_write_fn *write, void *arg)
{
	struct file_header header = {
		.version = SNAPSHOT_VERSION,
		.byte_order = BYTE_ORDER_MARK,
		.n_sections = (uint32_t)writer->sections.size,
	};
	struct kml_error *error;

	memcpy(header.magic, magic, sizeof(magic));
	header.hash = header_hash(header, writer->sections.data);
	error = put(write, arg, &header, sizeof(header));
	if (!error)
		error = put(write, arg, writer->sections.data,
			    writer->sections.size *
				    sizeof(*writer->sections.data));
	if (!error)
		error = put(write, arg, writer->frames.data,
			    writer->frames.size);
	return error;
}

void snapshot_writer_deinit(struct snapshot_writer *writer)
{
	vec_deinit(&writer->sections);
	vec_deinit(&writer->frames);
}

/* ---- reading */

static struct kml_error *damaged(const char *path)
{
	return error_new(KML_ERR_CORRUPT, "the snapshot '%s' is damaged", path);
}

static struct kml_error *check_header(const char *path, const char *data,
				      size_t bytes, struct file_header *ret)
{
	if (bytes < sizeof(magic) || memcmp(data, magic, sizeof(magic)))
		return error_new(KML_ERR_FORMAT, "'%s' is no snapshot", path);
	if (bytes < sizeof(*ret))
		return damaged(path);
	memcpy(ret, data, sizeof(*ret));
	if (ret->byte_order == __builtin_bswap32(BYTE_ORDER_MARK))
		return error_new(KML_ERR_UNSUPPORTED,
				 "the snapshot '%s' was made on a machine of another byte order",
				 path);
	/* Another version may have another header. */
	if (ret->byte_order == BYTE_ORDER_MARK &&
	    ret->version != SNAPSHOT_VERSION)
		return error_new(KML_ERR_UNSUPPORTED,
				 "the snapshot '%s' has format version %u, this program reads %u: make it anew from the dump",
				 path, ret->version, SNAPSHOT_VERSION);
	if (ret->byte_order != BYTE_ORDER_MARK ||
	    ret->n_sections > MAX_SECTIONS ||
	    ret->n_sections * sizeof(struct snapshot_section) >
		    bytes - sizeof(*ret))
		return damaged(path);
	return NULL;
}

/* The frames fill the file to its end, and are what was written. */
static bool frames_are_sane(const struct snapshot_file *file)
{
	size_t at = sizeof(struct file_header) +
		    file->sections.size * sizeof(*file->sections.data), i;

	for (i = 0; i < file->sections.size; i++) {
		const struct snapshot_section *s = &file->sections.data[i];

		if (s->frame_bytes > file->bytes - at ||
		    hash_words(file->data + at, s->frame_bytes) !=
			    s->frame_hash ||
		    s->name[sizeof(s->name) - 1])
			return false;
		at += s->frame_bytes;
	}
	return at == file->bytes;
}

static struct kml_error *check_file(struct snapshot_file *file)
{
	struct file_header header;
	struct kml_error *error;

	error = check_header(file->path, file->data, file->bytes, &header);
	if (error)
		return error;
	if (!vec_reserve(&file->sections, MAX((size_t)header.n_sections, 1u)))
		return error_nomem();
	file->sections.size = header.n_sections;
	memcpy(file->sections.data, file->data + sizeof(header),
	       header.n_sections * sizeof(*file->sections.data));
	if (header.hash != header_hash(header, file->sections.data) ||
	    !frames_are_sane(file))
		return damaged(file->path);
	return NULL;
}

/* Why cache_read() could not read it. */
static struct kml_error *unreadable(const char *path)
{
	struct stat st;

	if (stat(path, &st) || access(path, R_OK))
		return error_os(errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > SNAPSHOT_MAX_BYTES)
		return error_new(KML_ERR_FORMAT, "'%s' is no snapshot", path);
	return error_new(KML_ERR_OS, "cannot read '%s'", path);
}

struct kml_error *snapshot_file_open(struct snapshot_file *file,
				     const char *path)
{
	struct kml_error *error;

	memset(file, 0, sizeof(*file));
	file->path = strdup(path);
	if (!file->path)
		return error_nomem();
	file->data = cache_read(path, SNAPSHOT_MAX_BYTES, &file->bytes);
	error = file->data ? check_file(file) : unreadable(path);
	if (error)
		snapshot_file_close(file);
	return error;
}

static struct kml_error *unpack(const struct snapshot_file *file,
				const struct snapshot_section *section,
				const char *frame, void **ret,
				size_t *bytes_ret)
{
	void *data;
	size_t n;

	if (ZSTD_getFrameContentSize(frame, section->frame_bytes) !=
	    section->bytes)
		return damaged(file->path);
	data = malloc(MAX(section->bytes, 1));
	if (!data)
		return error_nomem();
	n = ZSTD_decompress(data, section->bytes, frame, section->frame_bytes);
	if (n != section->bytes) {
		free(data);
		return damaged(file->path);
	}
	*ret = data;
	*bytes_ret = n;
	return NULL;
}

struct kml_error *snapshot_file_section(const struct snapshot_file *file,
					const char *name, void **ret,
					size_t *bytes_ret)
{
	size_t at = sizeof(struct file_header) +
		    file->sections.size * sizeof(*file->sections.data), i;

	for (i = 0; i < file->sections.size; i++) {
		const struct snapshot_section *s = &file->sections.data[i];

		if (!strcmp(s->name, name))
			return unpack(file, s, file->data + at, ret,
				      bytes_ret);
		at += s->frame_bytes;
	}
	return damaged(file->path);
}

void snapshot_file_close(struct snapshot_file *file)
{
	free(file->path);
	free(file->data);
	vec_deinit(&file->sections);
	memset(file, 0, sizeof(*file));
}
