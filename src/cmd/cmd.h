/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program on top of libkmlanalyze: it knows argv, stdout and the terminal,
 * and of the library its public header alone.
 */
#ifndef KML_CMD_CMD_H
#define KML_CMD_CMD_H

#include <kmlanalyze/kmlanalyze.h>

/* Exit statuses; documented in kmlanalyze(1). */
enum {
	EXIT_CLEAN = 0,   /* no leaks */
	EXIT_LEAKS = 1,
	EXIT_USAGE = 2,
	EXIT_INPUT = 3,   /* input unusable, or output not written */
	EXIT_PARTIAL = 4, /* the result is partial; there may be leaks */
	/* 128 + signal: interrupted */
};

enum progress_mode {
	PROGRESS_AUTO, /* where stderr is a terminal */
	PROGRESS_ALWAYS,
	PROGRESS_NEVER,
};

#define MAX_RULES_FILES 64
#define MAX_TYPES 64 /* that the user says */
#define MAX_MODULES 64 /* files and folders of these */

/* What the command line says. */
struct arguments {
	struct kml_options options;
	struct kml_report_options report;
	const char *output; /* NULL: stdout */
	enum progress_mode progress;
	bool quiet;         /* no warnings, no progress */
	const char *rules[MAX_RULES_FILES]; /* options.n_rules of them */
	const char *types[MAX_TYPES]; /* options.n_types of them */
	const char *modules[MAX_MODULES]; /* options.n_modules of them */
	bool records;       /* --kmemleak: the kernel's own records */
	bool compare;       /* --compare: its verdicts and ours */
	bool no_verdict;    /* the exit status does not tell of leaks */
	bool save;          /* -o NAME.kml: a snapshot */
	const char *scan_option; /* one that takes a scan of the dump, or NULL */
	char **files;       /* what is left after the options */
	int n_files;
};

struct command {
	const char *name;
	const char *summary; /* for --help */
	const char *usage;
	int (*run)(struct arguments *arguments);
};

/* Sub-commands, the default one first; a NULL name ends the list. */
extern const struct command commands[];

int cmd_leaks(struct arguments *arguments);
int cmd_caches(struct arguments *arguments);
int cmd_show(struct arguments *arguments);
int cmd_refs(struct arguments *arguments);
int cmd_path(struct arguments *arguments);
int cmd_whatis(struct arguments *arguments);
int cmd_top(struct arguments *arguments);
int cmd_profile(struct arguments *arguments);

/* Parse options into *@ret, whose defaults are set here; false: usage error,
 * already reported.  @argv[0] is the command's name. */
bool arguments_parse(const struct command *command, int argc, char **argv,
		     struct arguments *ret);

void print_help(void);
void print_version(void);
/* Flush what these printed; false: it could not be written, which is
 * reported. */
bool finish_stdout(void);

#endif
