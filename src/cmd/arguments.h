/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of arguments_parse() share. */
#ifndef KML_CMD_ARGUMENTS_H
#define KML_CMD_ARGUMENTS_H

#include "cmd/cmd.h"

/* Options that were there, where struct arguments does not tell. */
enum {
	SEEN_NO_CACHE = 1,
	SEEN_CACHE_DIR = 2,
	SEEN_LIMIT = 4,
	SEEN_STACK = 8,
	SEEN_FORMAT = 16,
};

/* false: some options contradict each other, which is reported. */
bool arguments_check(const struct command *command,
		     const struct arguments *args, unsigned seen);

#endif
