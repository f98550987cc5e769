// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void message_warning(struct messenger *messenger, const char *format, ...)
{
	va_list ap;
	char *text;

	if (!messenger->fn)
		return;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) >= 0) {
		if (!messenger->fn(messenger->arg, KML_MESSAGE_WARNING, text, -1))
			messenger->stopped = true;
		free(text);
	}
	va_end(ap);
}

struct kml_error *message_progress(struct messenger *messenger,
				   const char *stage, uint64_t done,
				   uint64_t all)
{
	int permille = all ? (int)(done * 1000 / all) : -1;

	if (messenger->fn && !messenger->stopped &&
	    !messenger->fn(messenger->arg, KML_MESSAGE_PROGRESS, stage, permille))
		messenger->stopped = true;
	if (messenger->stopped)
		return error_new(KML_ERR_INTERRUPTED, "interrupted");
	return NULL;
}
