// SPDX-License-Identifier: GPL-2.0-or-later
/* Decompressing a whole file: libelf and libdrgn want one that they can map. */
#include "debuginfo/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/cache_dir.h"

/* The largest vmlinux with debuginfo is below 2 GiB. */
#define MAX_BYTES (UINT64_C(4) << 30)

struct inflater {
	const char *path;
	int in, out;
	ZSTD_DStream *stream;
	char *in_buf, *out_buf;
	size_t in_size, out_size;
	uint64_t written;
	size_t pending; /* what the last call returned; 0: at a frame's end */
};

static struct kml_error *write_out(struct inflater *z, size_t bytes)
{
	int errnum;

	z->written += bytes;
	if (z->written > MAX_BYTES)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' is more than 4 GiB when decompressed",
				 z->path);
	errnum = write_all(z->out, z->out_buf, bytes);
	if (errnum)
		return error_os(errnum, "cannot decompress '%s'", z->path);
	return NULL;
}

/* Decompress what was read: until it is used up and nothing more comes. */
static struct kml_error *inflate_some(struct inflater *z, size_t bytes)
{
	ZSTD_inBuffer in = { z->in_buf, bytes, 0 };
	struct kml_error *error;
	bool full = false;

	while (in.pos < in.size || full) {
		ZSTD_outBuffer out = { z->out_buf, z->out_size, 0 };

		z->pending = ZSTD_decompressStream(z->stream, &out, &in);
		if (ZSTD_isError(z->pending))
			return error_new(KML_ERR_CORRUPT, "'%s' is damaged: %s",
					 z->path,
					 ZSTD_getErrorName(z->pending));
		error = write_out(z, out.pos);
		if (error)
			return error;
		full = out.pos == out.size && z->pending;
	}
	return NULL;
}

static struct kml_error *inflate_all(struct inflater *z)
{
	struct kml_error *error;
	ssize_t n;

	z->pending = 1;
	for (;;) {
		n = read(z->in, z->in_buf, z->in_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os(errno, "cannot read '%s'", z->path);
		if (!n)
			break;
		error = inflate_some(z, (size_t)n);
		if (error)
			return error;
	}
	if (z->pending)
		return error_new(KML_ERR_CORRUPT, "'%s' is cut off", z->path);
	return NULL;
}

static struct kml_error *inflate_start(struct inflater *z)
{
	z->in = open(z->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (z->in < 0)
		return error_os(errno, "cannot open '%s'", z->path);
	z->out = memfd_create("vmlinux", MFD_CLOEXEC);
	if (z->out < 0)
		return error_os(errno, "cannot decompress '%s'", z->path);
	z->in_size = ZSTD_DStreamInSize();
	z->out_size = MAX(ZSTD_DStreamOutSize(), (size_t)1 << 20);
	z->in_buf = malloc(z->in_size);
	z->out_buf = malloc(z->out_size);
	z->stream = ZSTD_createDStream();
	if (!z->in_buf || !z->out_buf || !z->stream)
		return error_nomem();
	return inflate_all(z);
}

struct kml_error *zst_to_memfd(const char *path, int *fd_ret, size_t *bytes_ret)
{
	struct inflater z = { .path = path, .in = -1, .out = -1 };
	struct kml_error *error = inflate_start(&z);

	ZSTD_freeDStream(z.stream);
	free(z.in_buf);
	free(z.out_buf);
	closep(&z.in);
	if (error) {
		closep(&z.out);
		return error;
	}
	*fd_ret = z.out;
	*bytes_ret = (size_t)z.written;
	return NULL;
}
