// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* A dump is a file or the partition that it was written to. */
static struct kml_error *check_kind(struct dump_file *file)
{
	struct stat st;
	off_t end;

	if (fstat(file->fd, &st))
		return error_os(errno, "cannot examine '%s'", file->path);
	if (S_ISDIR(st.st_mode))
		return error_new(KML_ERR_FORMAT,
				 "'%s' is a directory, not a dump", file->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_new(KML_ERR_FORMAT,
				 "'%s' is neither a file nor a block device",
				 file->path);
	end = S_ISBLK(st.st_mode) ? lseek(file->fd, 0, SEEK_END) : st.st_size;
	if (end < 0)
		return error_os(errno, "cannot tell the size of '%s'",
				file->path);
	if (!end)
		return error_new(KML_ERR_FORMAT, "'%s' is empty", file->path);
	file->bytes = (uint64_t)end;
	return NULL;
}

struct kml_error *dump_file_open(struct dump_file *file, const char *path)
{
	struct dump_file f = { .fd = -1 };
	struct kml_error *error;
	size_t got;

	f.path = strdup(path);
	if (!f.path)
		return error_nomem();
	/* Non-blocking: a FIFO is refused below, not waited for. */
	f.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f.fd < 0)
		error = error_os(errno, "cannot open '%s'", path);
	else
		error = check_kind(&f);
	if (!error)
		error = dump_file_read(&f, 0, f.magic, sizeof(f.magic), &got);
	if (error)
		dump_file_close(&f);
	else
		*file = f;
	return error;
}

void dump_file_close(struct dump_file *file)
{
	if (!file->path)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	memset(file, 0, sizeof(*file));
}

struct kml_error *dump_file_read(const struct dump_file *file, uint64_t offset,
				 void *buf, size_t bytes, size_t *got_ret)
{
	uint8_t *p = buf;
	size_t got = 0;

	/* Offsets come from the dump: any 64 bits. */
	if (offset >= file->bytes)
		bytes = 0;
	else
		bytes = (size_t)MIN((uint64_t)bytes, file->bytes - offset);
	while (got < bytes) {
		ssize_t n = pread(file->fd, p + got, bytes - got,
				  (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_os(errno, "cannot read '%s' at %" PRIu64,
					file->path, offset + got);
		if (!n)
			break;
		got += (size_t)n;
	}
	*got_ret = got;
	return NULL;
}

struct kml_error *dump_file_read_all(const struct dump_file *file,
				     uint64_t offset, void *buf, size_t bytes,
				     const char *what)
{
	struct kml_error *error;
	size_t got;

	error = dump_file_read(file, offset, buf, bytes, &got);
	if (!error && got < bytes)
		error = error_new(KML_ERR_CORRUPT,
				  "'%s' ends in its %s (%" PRIu64 " bytes)",
				  file->path, what, file->bytes);
	return error;
}
