// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keep it for those who ask later; without memory there is no later. */
static void keep(struct messenger *messenger, const char *text)
{
	struct message_kept kept = {
		.stage = messenger->stage,
		.text = strdup(text),
	};

	if (kept.text && !vec_push(&messenger->kept, kept))
		free(kept.text);
}

void message_warning(struct messenger *messenger, const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	keep(messenger, text);
	if (messenger->fn &&
	    !messenger->fn(messenger->arg, KML_MESSAGE_WARNING, text, -1))
		messenger->stopped = true;
	free(text);
}

void messenger_deinit(struct messenger *messenger)
{
	size_t i;

	for (i = 0; i < messenger->kept.size; i++)
		free(messenger->kept.data[i].text);
	vec_deinit(&messenger->kept);
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
