// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlanalyze whatis, for a person: a line an address. */
#include <inttypes.h>

#include "report/whatis.h"

void report_whatis_text(struct report *report)
{
	struct stacks *stacks = stacks_create(report);
	char frame[SYMBOL_BYTES_MAX], text[WHATIS_BYTES];
	struct whatis whatis;
	size_t i;

	for (i = 0; stacks && i < report->options.n_addresses; i++) {
		whatis_find(report, report->options.addresses[i], &whatis);
		whatis_format(report, &whatis,
			      whatis_frame(stacks, &whatis, frame) ? frame :
								     NULL,
			      text);
		writer_printf(&report->writer, "0x%016" PRIx64 "  %s\n",
			      whatis.show.address, text);
	}
	stacks_destroy(stacks);
}
