// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user's rules and baseline did, and what was asked for. */
#include <string.h>

#include "base/util.h"
#include "snapshot/snapshot.h"

archive_covers(struct rule, 104);
archive_covers(struct baseline, 112);
archive_covers(struct overrides, 80);
archive_covers(struct user, 376);
archive_covers(struct kml_analysis, 7416);

static void archive_rule(struct archive *a, struct rule *rule)
{
	uint32_t action = rule->action, selector = rule->selector;

	archive_u32(a, &action);
	archive_u32(a, &selector);
	archive_check(a, action < RULE_ACTIONS && selector < RULE_SELECTORS,
		      "a rule");
	if (a->loading && !a->failed) {
		rule->action = (enum rule_action)action;
		rule->selector = (enum rule_selector)selector;
	}
	archive_string(a, &rule->file);
	archive_unsigned(a, &rule->line);
	archive_text(a, &rule->text);
	archive_check(a, rule->file && rule->text, "a rule");
	archive_u64(a, &rule->n_objects);
	archive_u64(a, &rule->n_ranges);
	archive_u64(a, &rule->n_references);
}

static void archive_baseline_count(struct archive *a,
				   struct baseline_count *count)
{
	archive_u64(a, &count->fingerprint);
	archive_u64(a, &count->n_leaks);
}

static void archive_baseline(struct archive *a, struct baseline *baseline)
{
	archive_text(a, &baseline->path);
	archive_vec(a, &baseline->counts, archive_baseline_count);
	archive_bool(a, &baseline->same_boot);
	archive_u64(a, &baseline->n_found);
	archive_u64(a, &baseline->n_all);
}

static void archive_overrides(struct archive *a, struct kml_analysis *analysis)
{
	struct overrides *overrides = &analysis->user.overrides;
	uint64_t n = analysis->heap.n_ids;
	bool is_there = !a->loading && analysis->rules.overrides;

	archive_bool(a, &is_there);
	if (!is_there)
		return;
	archive_bitmap(a, &overrides->gray, n);
	archive_bitmap(a, &overrides->black, n);
	archive_check(a, overrides->gray && overrides->black, "the rules");
	if (a->loading)
		analysis->rules.overrides = overrides;
}

void archive_user(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct user *user = &analysis->user;

	archive_bool(a, &user->active);
	archive_vec(a, &user->rules.rules, archive_rule);
	archive_baseline(a, &user->baseline);
	archive_overrides(a, analysis);
	archive_u64(a, &user->min_age_ms);
	archive_u64(a, &user->n_young);
	archive_u64(a, &user->n_ageless);
	archive_bool(a, &user->has_boot);
	archive_u64(a, &user->boot);
}

/* ---- options, warnings, times */

static void archive_path(struct archive *a, char **path)
{
	archive_text(a, path);
	archive_check(a, *path, "the dump's name");
}

static void archive_paths(struct archive *a, struct kml_analysis *analysis)
{
	uint64_t n = analysis->options.n_vmcore, i;

	archive_count(a, &n, 1, UINT32_MAX);
	if (a->loading) {
		/* NULL-terminated. */
		analysis->paths = archive_alloc(a, n + 1,
						sizeof(*analysis->paths));
		analysis->options.vmcore = (const char *const *)analysis->paths;
		analysis->options.n_vmcore = analysis->paths ? n : 0;
	}
	for (i = 0; i < analysis->options.n_vmcore; i++)
		archive_path(a, &analysis->paths[i]);
}

static void archive_warning(struct archive *a, struct message_kept *kept)
{
	archive_u32(a, &kept->stage);
	archive_text(a, &kept->text);
	archive_check(a, kept->text, "a warning");
}

void archive_about(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	uint32_t stack = analysis->options.stack;
	unsigned stage;

	archive_bool(a, &snapshot->no_content);
	archive_bool(a, &snapshot->no_lines);
	archive_paths(a, analysis);
	archive_text(a, &analysis->vmlinux);
	archive_u32(a, &stack);
	archive_check(a, stack <= KML_STACK_OFF, "an option");
	archive_bool(a, &analysis->options.precise);
	if (a->loading) {
		analysis->options.vmlinux = analysis->vmlinux;
		analysis->options.stack = (enum kml_stack)stack;
		analysis->kernel.stack_mode = analysis->options.stack;
	}
	archive_vec(a, &analysis->messenger.kept, archive_warning);
	for (stage = 0; stage < STAGES; stage++) {
		archive_double(a, &analysis->stages[stage].wall_s);
		archive_double(a, &analysis->stages[stage].cpu_s);
	}
}
