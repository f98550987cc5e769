// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line.  Each option knows the commands that heed it; to the
 * others it is a usage error: nothing is parsed and ignored.
 */
#include "cmd/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/message.h"
#include "cmd/probe.h"

/* Roots listed per group in text for a person; --limit changes it. */
#define DEFAULT_LIMIT 8
/* Rows of each table of 'top', in any format. */
#define DEFAULT_TOP 10

enum {
	OPT_FORMAT = 256,
	OPT_STACK,
	OPT_FORCE,
	OPT_THREADS,
	OPT_LIMIT,
	OPT_NO_LINES,
	OPT_HELD,
	OPT_BLIND,
	OPT_PRECISE,
	OPT_NO_CONTENT,
	OPT_NO_CACHE,
	OPT_CACHE_DIR,
	OPT_PROGRESS,
	OPT_RULES,
	OPT_MIN_AGE,
	OPT_BASELINE,
	OPT_KMEMLEAK,
	OPT_COMPARE,
	OPT_BY,
	OPT_CONTENT,
	OPT_TYPE,
	OPT_NO_TYPES,
	OPT_AS_C,
	OPT_MODULES,
};

/* Commands that an option is for. */
enum {
	LEAKS = 1,
	CACHES = 2,
	PROFILE = 4,
	SHOW = 8,
	REFS = 16,
	PATH = 32,
	WHATIS = 64,
	TOP = 128,
	ANY = 255,
};
#define ASK (SHOW | REFS | PATH | WHATIS)
#define DUMP (LEAKS | CACHES | ASK | TOP)

static const struct {
	struct option option;
	unsigned commands;
} known[] = {
	{ { "vmlinux", required_argument, NULL, 's' }, DUMP },
	{ { "output", required_argument, NULL, 'o' }, ANY },
	{ { "verbose", no_argument, NULL, 'v' }, LEAKS | CACHES },
	{ { "quiet", no_argument, NULL, 'q' }, DUMP },
	{ { "format", required_argument, NULL, OPT_FORMAT }, DUMP },
	{ { "stack", required_argument, NULL, OPT_STACK }, LEAKS | ASK | TOP },
	{ { "force", no_argument, NULL, OPT_FORCE }, DUMP },
	{ { "threads", required_argument, NULL, OPT_THREADS }, DUMP },
	{ { "limit", required_argument, NULL, OPT_LIMIT },
	  LEAKS | REFS | TOP },
	{ { "no-lines", no_argument, NULL, OPT_NO_LINES },
	  LEAKS | SHOW | PATH | WHATIS },
	{ { "held-by-stack", no_argument, NULL, OPT_HELD }, LEAKS },
	{ { "precise", no_argument, NULL, OPT_PRECISE }, LEAKS | ASK | TOP },
	{ { "blind", no_argument, NULL, OPT_BLIND }, LEAKS },
	{ { "no-content", no_argument, NULL, OPT_NO_CONTENT }, LEAKS | SHOW },
	{ { "content", no_argument, NULL, OPT_CONTENT }, SHOW },
	{ { "rules", required_argument, NULL, OPT_RULES }, LEAKS | ASK | TOP },
	{ { "baseline", required_argument, NULL, OPT_BASELINE }, LEAKS | ASK },
	{ { "min-age", required_argument, NULL, OPT_MIN_AGE }, LEAKS | ASK },
	{ { "no-cache", no_argument, NULL, OPT_NO_CACHE }, ANY },
	{ { "cache-dir", required_argument, NULL, OPT_CACHE_DIR }, ANY },
	{ { "progress", required_argument, NULL, OPT_PROGRESS }, DUMP },
	{ { "kmemleak", required_argument, NULL, OPT_KMEMLEAK }, LEAKS },
	{ { "type", required_argument, NULL, OPT_TYPE }, LEAKS | ASK | TOP },
	{ { "no-types", no_argument, NULL, OPT_NO_TYPES },
	  LEAKS | ASK | TOP },
	{ { "modules", required_argument, NULL, OPT_MODULES },
	  LEAKS | ASK | TOP },
	{ { "as-c", no_argument, NULL, OPT_AS_C }, SHOW },
	{ { "compare", required_argument, NULL, OPT_COMPARE }, LEAKS },
	{ { "by", required_argument, NULL, OPT_BY }, TOP },
};
#define N_KNOWN (sizeof(known) / sizeof(*known))

static unsigned command_bit(const struct command *command)
{
	return command->run == cmd_caches  ? CACHES :
	       command->run == cmd_profile ? PROFILE :
	       command->run == cmd_show	   ? SHOW :
	       command->run == cmd_refs	   ? REFS :
	       command->run == cmd_path	   ? PATH :
	       command->run == cmd_whatis  ? WHATIS :
	       command->run == cmd_top	   ? TOP :
					     LEAKS;
}

/* One of @words, which NULL ends; its index. */
static bool parse_word(const char *option, const char *text,
		       const char *const *words, unsigned *ret)
{
	unsigned i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*ret = i;
			return true;
		}
	}
	usage_error("'%s' is no value of '--%s'", text, option);
	return false;
}

static bool parse_number(const char *option, const char *text, uint64_t max,
			 uint64_t *ret)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || value > max) {
		usage_error("'%s' is no number for '--%s'", text, option);
		return false;
	}
	*ret = value;
	return true;
}

static bool parse_format(struct arguments *args)
{
	static const char *const words[] = { "text", "kmemleak", "json", NULL };
	unsigned word;

	if (!parse_word("format", optarg, words, &word))
		return false;
	args->report.format = (enum kml_format)word;
	return true;
}

static bool parse_stack(struct arguments *args)
{
	static const char *const words[] = { "live", "whole", "off", NULL };
	unsigned word;

	if (!parse_word("stack", optarg, words, &word))
		return false;
	args->options.stack = (enum kml_stack)word;
	return true;
}

static bool parse_progress(struct arguments *args)
{
	static const char *const words[] = { "auto", "always", "never", NULL };
	unsigned word;

	if (!parse_word("progress", optarg, words, &word))
		return false;
	args->progress = (enum progress_mode)word;
	return true;
}

static bool parse_kmemleak(struct arguments *args)
{
	static const char *const words[] = { "show", "all", NULL };
	unsigned word;

	if (!parse_word("kmemleak", optarg, words, &word))
		return false;
	args->report.kmemleak = (enum kml_kmemleak)word;
	args->records = args->options.kmemleak = true;
	return true;
}

static bool parse_compare(struct arguments *args)
{
	static const char *const words[] = { "kmemleak", NULL };
	unsigned word;

	if (!parse_word("compare", optarg, words, &word))
		return false;
	args->compare = args->options.kmemleak = true;
	return true;
}

/* A comma-separated list of tables. */
static bool parse_by(struct arguments *args)
{
	static const char *const words[] = {
		"cache", "type", "site", "module", "memcg", "accumulation",
		NULL,
	};
	static const enum kml_top tables[] = {
		KML_TOP_CACHE, KML_TOP_TYPE, KML_TOP_SITE, KML_TOP_MODULE,
		KML_TOP_MEMCG, KML_TOP_ACCUMULATION,
	};
	char *copy = strdup(optarg), *rest = copy, *word;
	bool good = copy;
	unsigned i;

	while (good && (word = strsep(&rest, ","))) {
		good = parse_word("by", word, words, &i);
		if (good)
			args->report.top |= tables[i];
	}
	free(copy);
	return good;
}

static bool parse_threads(struct arguments *args)
{
	uint64_t threads;

	if (!parse_number("threads", optarg, 1024, &threads))
		return false;
	args->options.threads = (unsigned)threads;
	return true;
}

static bool parse_min_age(struct arguments *args)
{
	uint64_t seconds;

	if (!parse_number("min-age", optarg, UINT64_MAX / 1000, &seconds))
		return false;
	args->options.min_age_ms = seconds * 1000;
	return true;
}

static bool parse_path(const char *option, const char **ret)
{
	if (!optarg[0]) {
		usage_error("'--%s' needs a path", option);
		return false;
	}
	*ret = optarg;
	return true;
}

/* One more path of an option that may be repeated. */
static bool parse_paths(const char *option, const char **paths, size_t *n,
			size_t max)
{
	if (*n == max) {
		usage_error("'--%s' is there more than %zu times", option, max);
		return false;
	}
	return parse_path(option, &paths[(*n)++]);
}

static bool parse_type(struct arguments *args)
{
	if (args->options.n_types == MAX_TYPES) {
		usage_error("'--type' is there more than %d times", MAX_TYPES);
		return false;
	}
	if (!strchr(optarg, '=') || optarg[0] == '=') {
		usage_error("'%s' is not ADDRESS=TYPE", optarg);
		return false;
	}
	args->types[args->options.n_types++] = optarg;
	return true;
}

static bool parse_flag(int value, struct arguments *args)
{
	switch (value) {
	case 'v':
		args->report.statistics = true;
		break;
	case 'q':
		args->quiet = true;
		break;
	case OPT_FORCE:
		args->options.force = true;
		break;
	case OPT_NO_LINES:
		args->options.no_lines = true;
		break;
	case OPT_HELD:
		args->options.held_by_stack = true;
		break;
	case OPT_PRECISE:
		args->options.precise = true;
		break;
	case OPT_BLIND:
		args->options.blind = true;
		break;
	case OPT_NO_CONTENT:
		args->report.no_content = true;
		break;
	case OPT_CONTENT:
		args->report.content = true;
		break;
	case OPT_NO_TYPES:
		args->options.no_types = true;
		break;
	case OPT_AS_C:
		args->report.as_c = true;
		break;
	case OPT_NO_CACHE:
		args->options.cache_dir = "";
		break;
	}
	return true;
}

static bool parse_option(int value, struct arguments *args)
{
	switch (value) {
	case 's':
		return parse_path("vmlinux", &args->options.vmlinux);
	case 'o':
		return parse_path("output", &args->output);
	case OPT_CACHE_DIR:
		return parse_path("cache-dir", &args->options.cache_dir);
	case OPT_BASELINE:
		return parse_path("baseline", &args->options.baseline);
	case OPT_MIN_AGE:
		return parse_min_age(args);
	case OPT_RULES:
		return parse_paths("rules", args->rules,
				   &args->options.n_rules, MAX_RULES_FILES);
	case OPT_TYPE:
		return parse_type(args);
	case OPT_MODULES:
		return parse_paths("modules", args->modules,
				   &args->options.n_modules, MAX_MODULES);
	case OPT_FORMAT:
		return parse_format(args);
	case OPT_STACK:
		return parse_stack(args);
	case OPT_PROGRESS:
		return parse_progress(args);
	case OPT_THREADS:
		return parse_threads(args);
	case OPT_KMEMLEAK:
		return parse_kmemleak(args);
	case OPT_COMPARE:
		return parse_compare(args);
	case OPT_BY:
		return parse_by(args);
	case OPT_LIMIT:
		return parse_number("limit", optarg, UINT64_MAX,
				    &args->report.limit);
	default:
		return parse_flag(value, args);
	}
}

/* Is the option @value there for @command?  Says so if not. */
static bool is_allowed(const struct command *command, int value)
{
	size_t i;

	for (i = 0; i < N_KNOWN; i++) {
		if (known[i].option.val == value &&
		    !(known[i].commands & command_bit(command))) {
			usage_error("'%s' has no option '--%s'", command->name,
				    known[i].option.name);
			return false;
		}
	}
	return true;
}

static unsigned note_seen(int value)
{
	return value == OPT_NO_CACHE  ? SEEN_NO_CACHE :
	       value == OPT_CACHE_DIR ? SEEN_CACHE_DIR :
	       value == OPT_LIMIT     ? SEEN_LIMIT :
	       value == OPT_STACK     ? SEEN_STACK :
	       value == OPT_FORMAT    ? SEEN_FORMAT :
					0;
}

/* Options that say how a dump is to be scanned: nothing of it is left to be
 * said of a snapshot. */
static const char *scan_option(int value)
{
	static const int values[] = {
		OPT_STACK, OPT_FORCE, OPT_THREADS, OPT_PRECISE, OPT_RULES,
		OPT_BASELINE, OPT_MIN_AGE, OPT_NO_CACHE, OPT_CACHE_DIR, 's',
		OPT_TYPE, OPT_NO_TYPES, OPT_AS_C, OPT_MODULES,
	};
	size_t i, j;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		for (j = 0; values[i] == value && j < N_KNOWN; j++) {
			if (known[j].option.val == value)
				return known[j].option.name;
		}
	}
	return NULL;
}

bool arguments_parse(const struct command *command, int argc, char **argv,
		     struct arguments *ret)
{
	struct arguments args = {
		.options = KML_OPTIONS_INIT,
		.report = KML_REPORT_OPTIONS_INIT,
	};
	struct option options[N_KNOWN + 1] = { { 0 } };
	unsigned seen = 0;
	int value;
	size_t i;

	for (i = 0; i < N_KNOWN; i++)
		options[i] = known[i].option;
	opterr = 0;
	while ((value = getopt_long(argc, argv, ":s:o:vq", options, NULL)) !=
	       -1) {
		if (value == '?' || value == ':') {
			usage_error(value == ':' ? "'%s' needs a value" :
						   "bad option '%s'",
				    argv[optind - 1]);
			return false;
		}
		if (!is_allowed(command, value) || !parse_option(value, &args))
			return false;
		seen |= note_seen(value);
		if (!args.scan_option)
			args.scan_option = scan_option(value);
	}
	args.save = args.output && names_snapshot(args.output) &&
		    command_bit(command) != PROFILE;
	if (!arguments_check(command, &args, seen))
		return false;
	if (!(seen & SEEN_LIMIT) && command->run == cmd_top)
		args.report.limit = DEFAULT_TOP;
	else if (!(seen & SEEN_LIMIT) && args.report.format == KML_FORMAT_TEXT)
		args.report.limit = DEFAULT_LIMIT;
	args.files = argv + optind;
	args.n_files = argc - optind;
	*ret = args;
	return true;
}
