// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/user.h"

#include "base/util.h"
#include "graph/rule_match.h"

struct kml_error *user_read(struct user *user,
			    const struct kml_options *options)
{
	struct kml_options all = KML_OPTIONS_INIT;
	struct kml_error *error = NULL;
	size_t i;

	/* A caller built against an older header passes a smaller struct. */
	memcpy(&all, options, MIN(options->size, sizeof(all)));
	for (i = 0; !error && i < all.n_rules; i++)
		error = rule_list_read(&user->rules, all.rules[i]);
	user->active = user->rules.rules.size;
	return error;
}

struct kml_error *user_match(struct user *user, struct kernel *kernel,
			     struct graph *graph)
{
	struct kml_error *error;

	if (!user->active)
		return NULL;
	error = overrides_init(&user->overrides, graph);
	if (!error)
		error = rules_match(kernel, graph, &user->rules,
				    &user->overrides);
	return error;
}

/* The leaks of all groups that have the fingerprint of rule @r. */
static struct kml_error *match_fingerprint(struct user *user,
					   struct kernel *kernel,
					   const struct graph *graph,
					   const struct leaks *leaks,
					   uint32_t r)
{
	const struct rule *rule = &user->rules.rules.data[r];
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < leaks->n_leaks; i++) {
		const struct leak *leak = &leaks->leaks[i];

		if (leaks->groups[leak->group].fingerprint == rule->number)
			error = rules_match_object(kernel, graph, &user->rules,
						   r, leak->id,
						   &user->overrides);
	}
	return error;
}

static struct kml_error *match_fingerprints(struct user *user,
					    struct kernel *kernel,
					    struct graph *graph,
					    const struct leaks *leaks,
					    bool *again)
{
	struct kml_error *error = NULL;
	uint32_t r;

	for (r = 0; !error && r < user->rules.rules.size; r++) {
		const struct rule *rule = &user->rules.rules.data[r];

		if (rule->selector != RULE_FINGERPRINT)
			continue;
		error = match_fingerprint(user, kernel, graph, leaks, r);
		*again |= rule_matched(rule);
	}
	if (!error && *again)
		error = rules_apply(kernel, graph, &user->rules,
				    &user->overrides);
	return error;
}

struct kml_error *user_match_leaks(struct user *user, struct kernel *kernel,
				   struct graph *graph,
				   const uint64_t *reached,
				   const struct leaks *leaks, bool *again)
{
	(void)reached;
	*again = false;
	if (!user->active)
		return NULL;
	return match_fingerprints(user, kernel, graph, leaks, again);
}

void user_warn(const struct user *user, struct messenger *messenger)
{
	size_t i;

	for (i = 0; i < user->rules.rules.size; i++) {
		const struct rule *rule = &user->rules.rules.data[i];

		if (!rule_matched(rule))
			message_warning(messenger,
					"%s:%u: the rule matches nothing in this dump: %s",
					rule->file, rule->line, rule->text);
	}
}

void user_deinit(struct user *user)
{
	rule_list_deinit(&user->rules);
	overrides_deinit(&user->overrides);
}
