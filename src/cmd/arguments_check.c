// SPDX-License-Identifier: GPL-2.0-or-later
/* Options that contradict each other, or that another one makes useless. */
#include "cmd/arguments.h"

#include "cmd/message.h"

/* The first option that says nothing about kmemleak's records, or about a
 * comparison; NULL if there is none. */
static const char *useless_option(const struct arguments *args, unsigned seen)
{
	bool show = args->records && args->report.kmemleak == KML_KMEMLEAK_SHOW;

	if (args->report.format == KML_FORMAT_KMEMLEAK)
		return "--format=kmemleak";
	if (args->options.held_by_stack)
		return "--held-by-stack";
	if (args->options.no_types)
		return "--no-types";
	if (args->options.no_lines)
		return "--no-lines";
	if (args->options.n_modules)
		return "--modules";
	if (args->report.no_content &&
	    (!show || args->report.format != KML_FORMAT_TEXT))
		return "--no-content";
	if (args->options.blind)
		return "--blind";
	if (args->options.n_types)
		return "--type";
	if (!args->records)
		return NULL;
	if (args->options.n_rules)
		return "--rules";
	if (args->options.baseline)
		return "--baseline";
	if (seen & SEEN_LIMIT)
		return "--limit";
	return seen & SEEN_STACK ? "--stack" : NULL;
}

static bool check_kmemleak(const struct arguments *args, unsigned seen)
{
	const char *useless = useless_option(args, seen);

	if (args->records && args->compare)
		usage_error("'--kmemleak' and '--compare' exclude each other");
	else if (useless)
		usage_error("'%s' does not go with '--%s'", useless,
			    args->compare    ? "compare=kmemleak" :
			    args->report.kmemleak == KML_KMEMLEAK_SHOW ?
					       "kmemleak=show" :
					       "kmemleak=all");
	else
		return true;
	return false;
}

/* The first option that a snapshot that is written makes nothing of. */
static const char *unsaved_option(const struct arguments *args, unsigned seen)
{
	return seen & SEEN_FORMAT		? "--format" :
	       seen & SEEN_LIMIT		? "--limit" :
	       args->records			? "--kmemleak" :
	       args->compare			? "--compare" :
	       args->options.held_by_stack	? "--held-by-stack" :
	       args->options.blind		? "--blind" :
	       args->report.statistics		? "-v" :
						  NULL;
}

static bool check_save(const struct command *command,
		       const struct arguments *args, unsigned seen)
{
	const char *useless = unsaved_option(args, seen);

	if (command->run != cmd_leaks)
		usage_error("'-o %s' is to be a snapshot, which '%s' does not write: leave out '%s'",
			    args->output, command->name, command->name);
	else if (useless)
		usage_error("'%s' does not go with '-o %s': a snapshot has it all, ask that",
			    useless, args->output);
	else
		return true;
	return false;
}

bool arguments_check(const struct command *command,
		     const struct arguments *args, unsigned seen)
{
	bool kmemleak = args->report.format == KML_FORMAT_KMEMLEAK;

	if (seen & SEEN_NO_CACHE && seen & SEEN_CACHE_DIR)
		usage_error("'--no-cache' and '--cache-dir' exclude each other");
	else if (args->report.content && args->report.no_content)
		usage_error("'--content' and '--no-content' exclude each other");
	else if (args->options.no_types &&
		 (args->options.n_types || args->report.as_c))
		usage_error("'--no-types' and '--%s' exclude each other",
			    args->report.as_c ? "as-c" : "type");
	else if (args->save)
		return check_save(command, args, seen);
	else if (args->records || args->compare)
		return check_kmemleak(args, seen);
	else if (args->options.n_modules && args->options.no_types &&
		 args->options.no_lines)
		usage_error("'--modules' is of no use with '--no-types' and '--no-lines'");
	else if (kmemleak && seen & SEEN_LIMIT)
		usage_error("'--limit' does not go with '--format=kmemleak', which lists all");
	else if (kmemleak && args->options.held_by_stack)
		usage_error("'--held-by-stack' does not go with '--format=kmemleak'");
	else if (kmemleak && args->options.n_types)
		usage_error("'--type' does not go with '--format=kmemleak'");
	else if (kmemleak && args->options.no_types)
		usage_error("'--format=kmemleak' has no types anyway: leave out '--no-types'");
	else if (kmemleak && args->options.blind)
		usage_error("'--blind' does not go with '--format=kmemleak'");
	else if (kmemleak && args->report.statistics)
		usage_error("'-v' does not go with '--format=kmemleak'");
	else
		return true;
	return false;
}
