/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses on the command line and from standard input. */
#ifndef KML_CMD_ADDRESS_H
#define KML_CMD_ADDRESS_H

#include "cmd/analysis.h"

struct addresses {
	uint64_t *data; /* to be free()d, also after a failure */
	size_t size, capacity;
	uint64_t n_bad; /* lines that are none */
};

/* Take the addresses in front of the dump out of the arguments' files; false:
 * no memory, already reported. */
bool addresses_take(struct arguments *arguments, struct addresses *ret);

/*
 * Read addresses from standard input, one a line; blank lines are none.  What
 * is no address is reported with the number of its line, and counted.  False:
 * standard input cannot be read, already reported.
 */
bool addresses_read(struct addresses *ret);

/* Run a command whose arguments are addresses, a dump and a vmlinux. */
int run_with_addresses(struct arguments *arguments, const char *name,
		       report_fn *report);

#endif
