// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/profile_types.h"

#define VERSION 2
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define ZSTD_LEVEL 3

/* As of PNG: damage by text-mode transfers shows in the first bytes. */
static const uint8_t magic[8] = { 0x8b, 'K', 'M', 'L', '\r', '\n', 0x1a, '\n' };

struct file_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint64_t image_bytes;
	uint64_t frame_bytes; /* the zstd frame, to the end of the file */
	uint64_t frame_hash;
	uint64_t types_hash;  /* profile_types_hash() of who wrote it */
	uint64_t header_hash; /* of all above */
};

static uint64_t header_hash(const struct file_header *header)
{
	return hash_bytes(HASH_START, header,
			  offsetof(struct file_header, header_hash));
}

bool profile_file_is(const void *head, size_t bytes)
{
	return bytes >= sizeof(magic) && !memcmp(head, magic, sizeof(magic));
}

/* ---- reading */

static struct kml_error *damaged(const char *path)
{
	return error_new(KML_ERR_CORRUPT, "profile '%s' is damaged", path);
}

static struct kml_error *check_header(const char *path, const char *data,
				      size_t bytes, struct file_header *ret)
{
	if (!profile_file_is(data, bytes))
		return error_new(KML_ERR_FORMAT,
				 "'%s' is neither a vmlinux nor a profile",
				 path);
	if (bytes < sizeof(*ret))
		return damaged(path);
	memcpy(ret, data, sizeof(*ret));
	if (ret->byte_order == __builtin_bswap32(BYTE_ORDER_MARK))
		return error_new(KML_ERR_UNSUPPORTED,
				 "profile '%s' was made on a machine of another byte order",
				 path);
	/* Another version may have another header. */
	if (ret->byte_order == BYTE_ORDER_MARK && ret->version != VERSION)
		return error_new(KML_ERR_UNSUPPORTED,
				 "profile '%s' has format version %u, this program reads %u: make it anew with 'kmlanalyze profile'",
				 path, ret->version, VERSION);
	if (ret->byte_order != BYTE_ORDER_MARK ||
	    ret->header_hash != header_hash(ret) ||
	    ret->frame_bytes != bytes - sizeof(*ret) ||
	    ret->image_bytes > PROFILE_MAX_BYTES)
		return damaged(path);
	return NULL;
}

static struct kml_error *unpack(const char *path, const char *data,
				size_t bytes, uint64_t *types_hash_ret,
				struct profile_image *ret)
{
	const char *frame = data + sizeof(struct file_header);
	struct file_header header;
	struct kml_error *error;
	void *block;
	size_t n;

	error = check_header(path, data, bytes, &header);
	if (error)
		return error;
	if (hash_words(frame, header.frame_bytes) != header.frame_hash)
		return damaged(path);
	block = malloc(header.image_bytes ? header.image_bytes : 1);
	if (!block)
		return error_nomem();
	n = ZSTD_decompress(block, header.image_bytes, frame,
			    header.frame_bytes);
	if (n != header.image_bytes || !profile_image_attach(ret, block, n)) {
		free(block);
		return damaged(path);
	}
	*types_hash_ret = header.types_hash;
	return NULL;
}

/* Why cache_read() could not read it. */
static struct kml_error *unreadable(const char *path)
{
	struct stat st;

	if (stat(path, &st) || access(path, R_OK))
		return error_os(errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > PROFILE_MAX_BYTES)
		return error_new(KML_ERR_FORMAT,
				 "'%s' is neither a vmlinux nor a profile",
				 path);
	return error_new(KML_ERR_OS, "cannot read '%s'", path);
}

struct kml_error *profile_file_load(const char *path,
				    struct profile_image *ret)
{
	_cleanup_free_ char *data = NULL;
	uint64_t types_hash;
	size_t bytes;

	data = cache_read(path, PROFILE_MAX_BYTES, &bytes);
	if (!data)
		return unreadable(path);
	return unpack(path, data, bytes, &types_hash, ret);
}

/* ---- writing */

struct kml_error *profile_file_pack(const struct profile_image *image,
				    void **ret, size_t *bytes_ret)
{
	size_t room = ZSTD_compressBound(image->bytes), n;
	struct file_header header = {
		.version = VERSION,
		.byte_order = BYTE_ORDER_MARK,
		.image_bytes = image->bytes,
		.types_hash = profile_types_hash(),
	};
	char *data = malloc(sizeof(header) + room);

	if (!data)
		return error_nomem();
	n = ZSTD_compress(data + sizeof(header), room, image->header,
			  image->bytes, ZSTD_LEVEL);
	if (ZSTD_isError(n)) {
		free(data);
		return error_nomem();
	}
	memcpy(header.magic, magic, sizeof(magic));
	header.frame_bytes = n;
	header.frame_hash = hash_words(data + sizeof(header), n);
	header.header_hash = header_hash(&header);
	memcpy(data, &header, sizeof(header));
	*ret = data;
	*bytes_ret = sizeof(header) + n;
	return NULL;
}

/* A device, pipe or such: there is nothing to rename. */
static struct kml_error *write_through(const char *path, const void *data,
				       size_t bytes)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int errnum = fd < 0 ? errno : write_all(fd, data, bytes);

	if (errnum)
		return error_os(errnum, "cannot write '%s'", path);
	return NULL;
}

struct kml_error *profile_file_save(const struct profile_image *image,
				    const char *path)
{
	_cleanup_free_ void *data = NULL;
	struct kml_error *error;
	struct stat st;
	size_t bytes;
	int errnum;

	error = profile_file_pack(image, &data, &bytes);
	if (error)
		return error;
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return write_through(path, data, bytes);
	errnum = replace_file(path, data, bytes, true);
	if (errnum)
		return error_os(errnum, "cannot write '%s'", path);
	return NULL;
}

/* ---- the cache */

static bool has_build_id(const struct profile_image *image,
			 const uint8_t *build_id, size_t build_id_bytes)
{
	return image->header->build_id_bytes == build_id_bytes &&
	       !memcmp(image->header->build_id, build_id, build_id_bytes);
}

bool profile_cache_load(const char *cache_dir, const uint8_t *build_id,
			size_t build_id_bytes, struct profile_image *ret)
{
	_cleanup_free_ char *path = NULL, *data = NULL;
	struct profile_image image;
	struct kml_error *error;
	uint64_t types_hash;
	size_t bytes;

	path = cache_path(cache_dir, build_id, build_id_bytes, PROFILE_SUFFIX);
	if (!path)
		return false;
	data = cache_read(path, PROFILE_MAX_BYTES, &bytes);
	if (!data)
		return false;
	error = unpack(path, data, bytes, &types_hash, &image);
	if (error) {
		kml_error_destroy(error);
		return false;
	}
	if (types_hash != profile_types_hash() ||
	    !has_build_id(&image, build_id, build_id_bytes)) {
		profile_image_deinit(&image);
		return false;
	}
	*ret = image;
	return true;
}

void profile_cache_save(const char *cache_dir,
			const struct profile_image *image)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ void *data = NULL;
	struct kml_error *error;
	size_t bytes;

	path = cache_path(cache_dir, image->header->build_id,
			  image->header->build_id_bytes, PROFILE_SUFFIX);
	if (!path)
		return;
	error = profile_file_pack(image, &data, &bytes);
	if (error)
		kml_error_destroy(error);
	else
		cache_write(path, data, bytes);
}
