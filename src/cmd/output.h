/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a report goes: stdout, or a file, which appears under its name only
 * once it is complete.
 */
#ifndef KML_CMD_OUTPUT_H
#define KML_CMD_OUTPUT_H

#include "cmd/cmd.h"

struct output {
	const char *name; /* for messages: "standard output" or the path */
	const char *path; /* NULL: stdout */
	char *temporary;  /* NULL: written in place */
	int fd;
	int errnum;       /* why a write failed */
};

/* False: already reported.  @path may be NULL. */
bool output_open(struct output *output, const char *path);

/* A kml_write_fn; the argument is the output. */
int output_write(void *arg, const char *text, size_t bytes);

/* Close it and give it its name; false: not everything could be written, which
 * is reported. */
bool output_commit(struct output *output);

/* Close it and leave no file behind. */
void output_abandon(struct output *output);

#endif
