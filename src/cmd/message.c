// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/interrupt.h"

/* The progress line is redrawn that often at most. */
#define REDRAW_MS 100

/* One terminal, one line at its bottom. */
static struct {
	bool enabled;
	bool drawn;
	bool quiet;
	char text[80];
	int64_t drawn_ms;
} progress;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void erase(void)
{
	if (progress.drawn)
		fputs("\r\033[K", stderr);
	progress.drawn = false;
}

static void draw(const char *stage, int permille)
{
	int64_t now = now_ms();
	char text[sizeof(progress.text)];

	if (permille < 0)
		snprintf(text, sizeof(text), "%.60s", stage);
	else
		snprintf(text, sizeof(text), "%.60s %3d%%", stage,
			 permille / 10);
	if (!strcmp(text, progress.text) || now - progress.drawn_ms < REDRAW_MS)
		return;
	erase();
	fputs(text, stderr);
	fflush(stderr);
	memcpy(progress.text, text, sizeof(text));
	progress.drawn_ms = now;
	progress.drawn = true;
}

static bool message(void *arg, enum kml_message kind, const char *text,
		    int permille)
{
	(void)arg;
	if (kind == KML_MESSAGE_PROGRESS) {
		if (progress.enabled)
			draw(text, permille);
	} else if (!progress.quiet) {
		erase();
		fprintf(stderr, "kmlanalyze: warning: %s\n", text);
	}
	return !interrupted();
}

void messages_start(struct arguments *arguments)
{
	progress.quiet = arguments->quiet;
	progress.enabled = arguments->progress == PROGRESS_ALWAYS ||
			   (arguments->progress == PROGRESS_AUTO &&
			    !arguments->quiet && isatty(STDERR_FILENO));
	arguments->options.message = message;
}

void messages_end(void)
{
	erase();
	fflush(stderr);
}

__attribute__((format(printf, 1, 0)))
static void vprint_error(const char *format, va_list ap)
{
	erase();
	fputs("kmlanalyze: ", stderr);
	vfprintf(stderr, format, ap);
	fputs("\n", stderr);
}

void print_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprint_error(format, ap);
	va_end(ap);
}

void print_note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprint_error(format, ap);
	va_end(ap);
}

int usage_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprint_error(format, ap);
	va_end(ap);
	fputs("Try 'kmlanalyze --help'.\n", stderr);
	return EXIT_USAGE;
}

int report_error(struct kml_error *error)
{
	enum kml_code code = kml_error_code(error);

	if (interrupted() || code == KML_ERR_INTERRUPTED)
		print_error("interrupted");
	else
		print_error("%s", kml_error_message(error));
	kml_error_destroy(error);
	return code == KML_ERR_ARGUMENT ? EXIT_USAGE : EXIT_INPUT;
}
