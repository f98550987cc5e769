// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/interrupt.h"
#include "cmd/message.h"

/* A device or a FIFO is written to, not replaced. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

/* As if created by open(): mkostemp() has made it private. */
static void set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	/* That it stays private is no reason to fail. */
	if (fchmod(fd, 0666 & ~mask))
		return;
}

static int open_temporary(struct output *output)
{
	int fd;

	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		errno = ENOMEM;
		return -1;
	}
	fd = mkostemp(output->temporary, O_CLOEXEC);
	if (fd >= 0)
		set_mode(fd);
	return fd;
}

bool output_open(struct output *output, const char *path)
{
	memset(output, 0, sizeof(*output));
	output->path = path;
	output->name = path ? path : "standard output";
	if (!path)
		output->fd = STDOUT_FILENO;
	else if (is_special(path))
		output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	else
		output->fd = open_temporary(output);
	if (output->fd >= 0)
		return true;
	print_error("cannot write '%s': %s", output->name, strerror(errno));
	free(output->temporary);
	return false;
}

int output_write(void *arg, const char *text, size_t bytes)
{
	struct output *output = arg;

	while (bytes) {
		ssize_t n = write(output->fd, text, bytes);

		if (interrupted())
			return EINTR;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			output->errnum = errno;
			return errno;
		}
		text += n;
		bytes -= (size_t)n;
	}
	return 0;
}

bool output_commit(struct output *output)
{
	/* Some file systems report a full disk only now. */
	if (close(output->fd))
		output->errnum = errno;
	else if (output->temporary && rename(output->temporary, output->path))
		output->errnum = errno;
	if (output->errnum) {
		print_error("cannot write '%s': %s", output->name,
			    strerror(output->errnum));
		if (output->temporary)
			unlink(output->temporary);
	}
	free(output->temporary);
	return !output->errnum;
}

void output_abandon(struct output *output)
{
	close(output->fd);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
}
