/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Progress and warnings on their way to the caller of the library. */
#ifndef KML_BASE_MESSAGE_H
#define KML_BASE_MESSAGE_H

#include "base/error.h"
#include "base/vec.h"

/* A warning that was given, and the stage at which. */
struct message_kept {
	uint32_t stage; /* the caller's number */
	char *text;
};

struct messenger {
	kml_message_fn *fn; /* may be NULL */
	void *arg;
	bool stopped; /* the function said so */
	uint32_t stage; /* of the warnings that are given now */
	VEC(struct message_kept) kept; /* all of them, to be given again */
};
void messenger_deinit(struct messenger *messenger);

/* Warn the user: the result stands, but they should know this. */
void message_warning(struct messenger *messenger, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Say how far a stage is; KML_ERR_INTERRUPTED if the caller wants to stop. */
struct kml_error *message_progress(struct messenger *messenger,
				   const char *stage, uint64_t done,
				   uint64_t all) error_must_check;

#endif
