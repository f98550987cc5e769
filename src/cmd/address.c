// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/address.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/interrupt.h"
#include "cmd/message.h"

/* Of one run; a stream that never ends must not take all memory. */
#define MAX_ADDRESSES ((size_t)1 << 24)
/* Bad lines that are reported one by one. */
#define MAX_COMPLAINTS 10
#define LINE_BYTES 64

/* 0x and digits, or the 16 digits that crash and the kernel print. */
static bool parse_address(const char *text, uint64_t *ret)
{
	bool prefixed = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = prefixed ? text + 2 : text;

	if (!digits[0] || digits[strspn(digits, "0123456789abcdefABCDEF")] ||
	    strlen(digits) > 16 || (!prefixed && strlen(digits) != 16))
		return false;
	*ret = strtoull(digits, NULL, 16);
	return true;
}

static bool add(struct addresses *addresses, uint64_t address)
{
	size_t capacity = addresses->capacity ? addresses->capacity * 2 : 64;
	uint64_t *data;

	if (addresses->size == MAX_ADDRESSES) {
		print_error("there are more than %zu addresses", MAX_ADDRESSES);
		return false;
	}
	if (addresses->size == addresses->capacity) {
		data = realloc(addresses->data, capacity * sizeof(*data));
		if (!data) {
			print_error("out of memory");
			return false;
		}
		addresses->data = data;
		addresses->capacity = capacity;
	}
	addresses->data[addresses->size++] = address;
	return true;
}

bool addresses_take(struct arguments *arguments, struct addresses *ret)
{
	uint64_t address;

	while (arguments->n_files &&
	       parse_address(arguments->files[0], &address)) {
		arguments->files++;
		arguments->n_files--;
		if (!add(ret, address))
			return false;
	}
	return true;
}

/* ---- standard input */

struct line {
	char text[LINE_BYTES];
	size_t bytes;   /* without blanks in front; above LINE_BYTES: cut */
	uint64_t number;
};

static void complain(struct addresses *addresses, struct line *line)
{
	size_t i;

	if (addresses->n_bad++ >= MAX_COMPLAINTS)
		return;
	for (i = 0; line->text[i]; i++) {
		if (!isprint((unsigned char)line->text[i]))
			line->text[i] = '?';
	}
	print_error("standard input, line %" PRIu64 ": '%s%s' is no address",
		    line->number, line->text,
		    line->bytes >= LINE_BYTES ? "..." : "");
}

/* A line is complete; false: no memory, or too many. */
static bool take_line(struct addresses *addresses, struct line *line)
{
	size_t n = line->bytes < LINE_BYTES ? line->bytes : LINE_BYTES - 1;
	bool nul = memchr(line->text, 0, n);
	uint64_t address;
	bool good = true;

	line->number++;
	while (n && line->bytes < LINE_BYTES &&
	       strchr(" \t\r", line->text[n - 1]) && line->text[n - 1])
		n--;
	line->text[n] = '\0';
	if (n && !nul && line->bytes < LINE_BYTES &&
	    parse_address(line->text, &address))
		good = add(addresses, address);
	else if (n)
		complain(addresses, line);
	line->bytes = 0;
	return good;
}

static bool take_bytes(struct addresses *addresses, struct line *line,
		       const char *buf, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			if (!take_line(addresses, line))
				return false;
		} else if (line->bytes || (buf[i] != ' ' && buf[i] != '\t')) {
			if (line->bytes < LINE_BYTES - 1)
				line->text[line->bytes] = buf[i];
			if (line->bytes < LINE_BYTES)
				line->bytes++;
		}
	}
	return true;
}

/* poll() and not read() alone, which is restarted after a signal.  Returns
 * below 0 with errno. */
static ssize_t read_some(char *buf, size_t bytes)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	while (poll(&fd, 1, -1) < 0) {
		if (errno != EINTR || interrupted())
			return -1;
	}
	return read(STDIN_FILENO, buf, bytes);
}

bool addresses_read(struct addresses *ret)
{
	struct line line = { .bytes = 0 };
	char buf[65536];
	ssize_t n;

	while ((n = read_some(buf, sizeof(buf))) > 0) {
		if (interrupted())
			break;
		if (!take_bytes(ret, &line, buf, (size_t)n))
			return false;
	}
	if (interrupted()) {
		print_error("interrupted");
		return false;
	}
	if (n < 0) {
		print_error("cannot read 'standard input': %s",
			    strerror(errno));
		return false;
	}
	if (line.bytes && !take_line(ret, &line))
		return false;
	if (ret->n_bad > MAX_COMPLAINTS)
		print_error("standard input: %" PRIu64 " more lines are no address",
			    ret->n_bad - MAX_COMPLAINTS);
	return true;
}

int run_with_addresses(struct arguments *arguments, const char *name,
		       report_fn *report)
{
	struct addresses addresses = { .data = NULL };
	int status = EXIT_INPUT;

	if (arguments->report.format == KML_FORMAT_KMEMLEAK)
		return usage_error("'%s' has no format 'kmemleak'", name);
	if (addresses_take(arguments, &addresses)) {
		arguments->report.addresses = addresses.data;
		arguments->report.n_addresses = addresses.size;
		if (addresses.size)
			status = analyze_and_report(arguments, kml_analyze,
						    report);
		else
			status = usage_error("'%s' needs an address, as 0xffff888012345678, in front of the dump",
					     name);
	}
	free(addresses.data);
	return status;
}
