/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that goes to stderr. */
#ifndef KML_CMD_MESSAGE_H
#define KML_CMD_MESSAGE_H

#include "cmd/cmd.h"

/* "kmlanalyze: ..." */
void print_error(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* The same of what is no error. */
void print_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As print_error(), followed by a hint at --help; EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print and destroy an error of the library; the exit status it asks for. */
int report_error(struct kml_error *error);

/* Let the library tell of progress and warnings from here on. */
void messages_start(struct arguments *arguments);
/* Erase the progress line, if there is one. */
void messages_end(void);

#endif
