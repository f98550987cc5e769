// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* $XDG_CACHE_HOME/kmlanalyze, ~/.cache/kmlanalyze or NULL. */
static char *default_dir(void)
{
	const char *base = getenv("XDG_CACHE_HOME");
	char *dir;
	int n;

	/* The XDG specification: relative paths are to be ignored. */
	if (base && base[0] == '/') {
		n = asprintf(&dir, "%s/kmlanalyze", base);
	} else {
		base = getenv("HOME");
		if (!base || base[0] != '/')
			return NULL;
		n = asprintf(&dir, "%s/.cache/kmlanalyze", base);
	}
	return n < 0 ? NULL : dir;
}

char *cache_path(const char *cache_dir, const uint8_t *build_id,
		 size_t build_id_bytes, const char *suffix)
{
	_cleanup_free_ char *dir = cache_dir ? strdup(cache_dir) : default_dir();
	size_t dir_len, i;
	char *path, *p;

	if (!dir || !dir[0] || !build_id_bytes)
		return NULL;
	dir_len = strlen(dir);
	path = malloc(dir_len + 1 + 2 * build_id_bytes + strlen(suffix) + 1);
	if (!path)
		return NULL;
	p = mempcpy(path, dir, dir_len);
	*p++ = '/';
	for (i = 0; i < build_id_bytes; i++)
		p += sprintf(p, "%02x", build_id[i]);
	strcpy(p, suffix);
	return path;
}

char *cache_read(const char *path, size_t max_bytes, size_t *bytes_ret)
{
	/* A FIFO in its place must not make us wait. */
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *data = NULL;
	size_t size, got = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < 0 || (uint64_t)st.st_size > max_bytes)
		return NULL;
	size = (size_t)st.st_size;
	data = malloc(size + 1);
	if (!data)
		return NULL;
	while (got < size) {
		n = read(fd, data + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		got += (size_t)n;
	}
	data[size] = '\0';
	*bytes_ret = size;
	return take_ptr(data);
}

/* mkdir -p of the folder that @path is in. */
static bool make_parents(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	char *p;

	if (!dir)
		return false;
	for (p = dir + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(dir, 0700) && errno != EEXIST)
			return false;
		*p = '/';
	}
	return true;
}

int write_all(int fd, const void *data, size_t bytes)
{
	const char *p = data;
	ssize_t n;

	while (bytes) {
		n = write(fd, p, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		p += n;
		bytes -= (size_t)n;
	}
	return 0;
}

/* A new file next to @path.  mkostemp() knows but one mode. */
static int open_temporary(const char *path, mode_t mode, int *fd_ret,
			  char **temp_ret)
{
	uint64_t number;
	char *temp;
	int fd;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return errno;
	if (asprintf(&temp, "%s.%016" PRIx64, path, number) < 0)
		return ENOMEM;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0) {
		int errnum = errno;

		free(temp);
		return errnum;
	}
	*fd_ret = fd;
	*temp_ret = temp;
	return 0;
}

int replace_file(const char *path, const void *data, size_t bytes, bool shared)
{
	_cleanup_free_ char *temp = NULL;
	int fd = -1, errnum;

	errnum = open_temporary(path, shared ? 0666 : 0600, &fd, &temp);
	if (errnum)
		return errnum;
	errnum = write_all(fd, data, bytes);
	if (close(fd) && !errnum)
		errnum = errno;
	if (!errnum && rename(temp, path))
		errnum = errno;
	if (errnum)
		unlink(temp);
	return errnum;
}

bool cache_write(const char *path, const void *data, size_t bytes)
{
	return make_parents(path) && !replace_file(path, data, bytes, false);
}
